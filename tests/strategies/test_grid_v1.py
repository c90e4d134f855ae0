"""``grid_v1`` by itself: its levels, which orders a price makes, which level holds how much."""

from __future__ import annotations

from typing import Any

import pytest
from support.price_bot import START, D, PriceBot

from execsvc.errors import ConfigRefused
from execsvc.model.market import Limits
from execsvc.model.position import Position
from execsvc.strategies.grid_v1.strategy import GridTrading
from execsvc.strategies.registry import check


def grid_bot(allocation: str | None = "400", **params: Any) -> PriceBot:
    """A bot with levels at 100, 110, 120 and 130 and the upper line at 140, unless told otherwise."""
    given = {"lower_price": 100, "upper_price": 140, "grid_count": 4, **params}
    return PriceBot(GridTrading, allocation, **given)


def walk(bot: PriceBot, *prices: str, fate: str = "ok") -> None:
    """One tick after the other at these prices."""
    for price in prices:
        bot.tick(bot.seconds + 5, price, fate)


def traded(bot: PriceBot) -> list[tuple[str, float]]:
    """Side and worth in quote of each order."""
    return [(order.side.value, round(float(order.amount * order.price), 6)) for order in bot.orders]


def test_grid_bot_at_its_start_buys_nothing() -> None:
    bot = grid_bot()
    walk(bot, "115", "115", "112")

    assert bot.orders == []
    assert bot.lines == ["4 levels from 100 to 140, 100 USDT each; the price is 115"]


def test_grid_bot_buys_a_part_when_a_level_is_crossed_downwards() -> None:
    bot = grid_bot()
    walk(bot, "115", "110", "109", "111", "109")

    assert traded(bot) == [("buy", 100)]
    assert bot.orders[0].reason == "level at 110"


def test_grid_bot_sells_a_part_one_level_higher_and_buys_it_again() -> None:
    bot = grid_bot()
    walk(bot, "115", "110", "119.9", "120", "110")

    assert traded(bot) == [("buy", 100), ("sell", pytest.approx(109.090909)), ("buy", 100)]
    assert bot.orders[1].reason == "one level higher"


def test_grid_bot_buys_all_levels_that_one_tick_crosses_in_one_order() -> None:
    bot = grid_bot()
    walk(bot, "150", "105", "121", "150")

    assert [(o.side.value, o.amount) for o in bot.orders] == [
        ("buy", pytest.approx(D(300) / 105)),
        ("sell", pytest.approx(D(100) / 105)),
        ("sell", pytest.approx(D(200) / 105)),
    ]
    assert bot.orders[0].reason == "3 levels from 130 to 110"
    assert bot.position.tracked == 0


def test_grid_bot_out_of_range_holds_and_says_so_once() -> None:
    bot = grid_bot()
    walk(bot, "115", "99", "90", "80", "105", "139", "145", "150", "139")

    assert traded(bot)[0] == ("buy", 200)
    assert bot.sides == "bs"
    assert bot.lines[1:] == [
        "the price of 99 is at or below the end of the range: the bot keeps its position",
        "the price of 105 is within the range again",
        "the price of 145 is at or above the end of the range: the bot keeps its position",
        "the price of 139 is within the range again",
    ]


def test_grid_bot_that_leaves_the_range_with_a_sale_says_so() -> None:
    bot = grid_bot()
    walk(bot, "135", "130", "145")

    assert bot.sides == "bs"
    assert "the price of 145 is at or above the end of the range" in bot.lines[-1]


def test_grid_bot_whose_book_does_not_agree_with_the_last_trade_waits_for_it() -> None:
    bot = grid_bot()
    walk(bot, "125")
    bot.book = "112", "116"
    walk(bot, "109", "109")
    assert traded(bot) == [("buy", pytest.approx(100 / 116 * 109))]  # of two levels the upper one
    assert bot.orders[0].reason == "level at 120"
    bot.book = None
    walk(bot, "109")
    assert bot.orders[1].reason == "level at 110"
    bot.book = "114", "121"
    walk(bot, "120", "120")
    assert bot.sides == "bb"
    bot.book = "115", "121"
    walk(bot, "120")

    assert bot.sides == "bbs"
    assert [line.split(":")[0] for line in bot.lines[1:]] == [
        "the last trade was at 109, but the best ask is 116",
        "the last trade was at 120, but the best bid is 114",
    ]


def test_grid_bot_that_starts_out_of_range_says_so() -> None:
    bot = grid_bot()
    walk(bot, "90", "95")

    assert len(bot.lines) == 2
    assert bot.orders == []


def test_grid_bot_without_allocation_splits_a_tenth_of_the_free_quote_as_it_was() -> None:
    bot = grid_bot(allocation=None)
    walk(bot, "150", "130", "120", "110", "100")

    assert traded(bot) == [("buy", 250)] * 4


def test_grid_bot_whose_allocation_is_taken_away_goes_on_with_its_part_of_the_free_quote() -> None:
    bot = grid_bot()
    walk(bot, "150", "130")
    bot.allocation = None
    walk(bot, "120")

    assert traded(bot) == [("buy", 100), ("buy", 247.5)]


def test_grid_bot_whose_parts_are_too_small_says_so_and_does_not_trade() -> None:
    bot = grid_bot(allocation="16")
    bot.minima = Limits(min_notional=D(5))
    walk(bot, "115", "99")

    assert bot.orders == []
    assert (
        "no entry will be made: 4 USDT for a level is less than the exchange takes" in bot.lines[1]
    )
    assert bot.lines[2].startswith("no entry, 2 levels from 110 to 100: 4 USDT for a level")


def test_grid_bot_whose_entry_is_refused_waits_for_the_next_crossing() -> None:
    bot = grid_bot()
    walk(bot, "115")
    walk(bot, "109", fate="refused")
    assert bot.strategy.diagnostics().refused == "no"
    walk(bot, "108", "111", "110")
    assert bot.strategy.diagnostics().refused is None

    assert [order.price for order in bot.orders] == [110]
    assert "no entry, level at 110: no" in bot.lines


def test_grid_bot_whose_entry_lacks_a_read_tries_again_while_the_price_is_there() -> None:
    bot = grid_bot()
    walk(bot, "115")
    walk(bot, "109", fate="unread")
    walk(bot, "108")

    assert [order.price for order in bot.orders] == [108]


def test_grid_bot_whose_sale_is_refused_goes_on_and_buys_meanwhile() -> None:
    bot = grid_bot()
    walk(bot, "115", "109", "119")
    walk(bot, "131", fate="refused")
    assert bot.sides == "b"
    walk(bot, "120")

    assert bot.sides == "bsb"


def test_grid_bot_whose_sale_is_partial_sells_the_rest() -> None:
    bot = grid_bot()
    walk(bot, "115", "110")
    walk(bot, "120", fate="part")
    walk(bot, "121")

    assert bot.sides == "bss"
    assert (bot.position.tracked, bot.state.held) == (0, {})


def test_grid_bot_whose_purchase_is_partial_gives_it_to_levels_that_can_sell_it() -> None:
    bot = grid_bot()
    bot.minima = Limits(min_notional=D(60))
    walk(bot, "150")
    walk(bot, "109", fate="part")

    assert list(bot.state.held) == [3]
    assert bot.state.held[3] == bot.position.tracked


def test_grid_bot_sells_what_rounding_left_along_with_the_next_part() -> None:
    bot = grid_bot()
    bot.decimals, bot.base_fee = 2, D("0.001")
    bot.minima = Limits(min_amount=D("0.01"))
    walk(bot, "135", *["130", "120", *["110", "120"] * 30])

    assert len(bot.orders) == 62
    assert list(bot.state.held) == [3, 2]
    assert bot.position.tracked - sum(bot.state.held.values()) < D("0.02")


@pytest.mark.parametrize("price", ["108", "121"])
def test_grid_bot_killed_behind_a_purchase_knows_what_it_bought(price: str) -> None:
    bot = grid_bot()
    walk(bot, "115")
    walk(bot, "109", fate="dies")
    walk(bot, price, "121")

    assert bot.sides == "bs"
    assert bot.state.order is None


def test_grid_bot_killed_behind_a_sale_knows_what_it_sold() -> None:
    bot = grid_bot()
    walk(bot, "125", "109")
    walk(bot, "121", fate="dies")
    walk(bot, "121")

    assert bot.sides == "bs"
    assert list(bot.state.held) == [2]


def test_grid_bot_killed_behind_a_sale_knows_how_high_the_price_was() -> None:
    bot = grid_bot()
    walk(bot, "125", "109")
    walk(bot, "121", fate="dies")
    walk(bot, "110")

    assert bot.sides == "bsb"


def test_grid_bot_whose_position_has_cost_nearly_all_buys_for_the_rest() -> None:
    bot = grid_bot()
    bot.position = Position(tracked=D("3.6"), entry_price=D("110"), opened_at=START)
    walk(bot, "119", "99")
    walk(bot, "121", "99")

    assert traded(bot)[0] == ("buy", 4)


def test_grid_bot_that_divides_a_purchase_keeps_its_state_unchanged_afterwards() -> None:
    bot = grid_bot(grid_count=7)
    walk(bot, "150", "91")
    kept = bot.state.model_dump_json()
    walk(bot, "91", "91")

    assert sum(bot.state.held.values()) <= bot.position.tracked
    assert bot.state.model_dump_json() == kept


def test_grid_bot_whose_coins_are_gone_sells_what_is_there() -> None:
    bot = grid_bot()
    walk(bot, "125", "109")
    bot.position = bot.position.model_copy(update={"tracked": D(1)})
    walk(bot, "121", "131")

    assert [order.amount for order in bot.orders[1:]] == [D("0.5"), D("0.5")]


def test_grid_bot_whose_position_was_closed_by_others_forgets_its_parts() -> None:
    bot = grid_bot()
    walk(bot, "125", "109")
    bot.position = Position()
    walk(bot, "131")

    assert bot.sides == "b"
    assert bot.state.held == {}


def test_grid_bot_without_state_sells_a_position_one_level_above_its_entry() -> None:
    bot = grid_bot()
    bot.position = Position(tracked=D(1), entry_price=D("111"), opened_at=START)
    walk(bot, "115", "120")

    assert [(order.side.value, order.amount) for order in bot.orders] == [("sell", 1)]


def test_grid_bot_with_another_range_takes_its_position_along() -> None:
    bot = grid_bot()
    walk(bot, "115", "110")
    bot.params = GridTrading.Params(lower_price=80, upper_price=120, grid_count=2)
    bot.restart()
    walk(bot, "115", "120")

    assert bot.sides == "bs"
    assert bot.state.shape == (80, 120, 2)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"upper_price": None}, "params.upper_price"),
        ({"lower_price": 0}, "params.lower_price"),
        ({"lower_price": 140}, "has to be below upper_price, which is 140"),
        ({"upper_price": "1e999999999"}, "more than .* 36 digits"),
        ({"lower_price": "1e-999999999"}, "more than 18 decimals"),
        ({"upper_price": "NaN"}, "params.upper_price"),
        ({"grid_count": 1}, "params.grid_count"),
        ({"grid_count": 101}, "params.grid_count"),
        ({"allocation_ratio": 1.1}, "params.allocation_ratio"),
    ],
)
def test_grid_params_that_cannot_be_used_are_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigRefused, match=said):
        check("grid_v1", {"lower_price": 100, "upper_price": 140, "grid_count": 4, **wrong})


def test_grid_params_left_out_are_required_or_the_catalogues() -> None:
    with pytest.raises(ConfigRefused) as refused:
        check("grid_v1", {})
    assert [fault.split(" is ")[0] for fault in refused.value.faults] == [
        "params.upper_price",
        "params.lower_price",
    ]
    params: Any = GridTrading.Params(**GridTrading.example_params)
    assert (params.grid_count, params.allocation_ratio) == (10, D("0.1"))
