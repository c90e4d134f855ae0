"""Sentence by sentence: how a position ends, and the cooldown after it."""

from __future__ import annotations

import pytest
from support.orderflow import Bot, D, bought, sold, taker

from execsvc.errors import OrderRefused
from execsvc.model.market import Trade


def reason(bot: Bot) -> str | None:
    return bot.orders[1].reason if len(bot.orders) > 1 else None


# Bought at 99.8, the extreme is 99.5: stops at 99.4008 and 99.4005, the farther is 99.4005.
@pytest.mark.parametrize(
    ("bid", "params", "rule"),
    [
        ("99.4006", {}, None),
        ("99.4005", {}, "hard_stop"),
        ("99.4004", {"stop_buffer_pct": 0}, "hard_stop"),
        ("99.4009", {"stop_buffer_pct": 0}, None),
        ("99.4008", {"stop_buffer_pct": 0}, "hard_stop"),
        ("99.5", {"stop_buffer_pct": 0, "stop_loss_pct": 0}, "hard_stop"),
        ("100.0993", {}, None),
        ("100.0994", {}, "take_profit"),
        ("105", {"take_profit_pct": 0}, None),
    ],
)
def test_the_price_rules_of_a_bought_position_at_their_edges(
    bid: str, params: dict[str, object], rule: str | None
) -> None:
    bot = bought(**params)

    bot.tick(4, bid, "200")  # on the best bid; the mid is far away

    assert reason(bot) == rule
    assert bot.state.phase.value == ("IN_POSITION" if rule is None else "COOLDOWN")


# Sold at 100.2, the extreme is 100.5: stops at 100.6008 and 100.6005, the farther is 100.6008.
@pytest.mark.parametrize(
    ("ask", "params", "rule"),
    [
        ("100.6007", {}, None),
        ("100.6008", {}, "hard_stop"),
        ("100.6007", {"stop_loss_pct": 0}, "hard_stop"),
        ("99.8995", {}, None),
        ("99.8994", {}, "take_profit"),
    ],
)
def test_the_price_rules_of_a_sold_position_at_their_edges(
    ask: str, params: dict[str, object], rule: str | None
) -> None:
    bot = sold(**params)

    bot.tick(4, "50", ask)

    assert reason(bot) == rule
    assert bot.state.phase.value == ("IN_POSITION" if rule is None else "COOLDOWN")


def test_the_extreme_stands_still_from_the_entry_on() -> None:
    bot = bought()

    bot.tick(4, "99.45", "99.5")

    assert bot.state.held is not None
    assert bot.state.held.extreme == D("99.5")


SELLS, BUYS = taker("sell", "9", 3.5), taker("buy", "9", 3.5)


# Soft stop of what was bought at 99.8: 99.6004; soft take profit: 100.0495.
@pytest.mark.parametrize(
    ("bid", "rule"),
    [
        ("99.6004", "soft_stop"),
        ("99.6005", None),
        ("100.0495", "soft_take_profit"),
        ("100.049", None),
    ],
)
def test_a_soft_rule_wants_price_and_flow_on_two_ticks_in_a_row(bid: str, rule: str | None) -> None:
    bot = bought()

    bot.tick(4, bid, "101", [SELLS])
    assert reason(bot) is None
    bot.tick(5, bid, "101", [SELLS])

    assert reason(bot) == rule


@pytest.mark.parametrize(
    "between",
    [
        ("99.61", [SELLS]),  # the price recovers
        ("99.6", [SELLS, BUYS]),  # the flow is even
        ("99.6", []),
        ("99.6", None),
        ("99.6", [taker("sell", "9", 3)]),  # a trade of the entry's own tick
        (None, [SELLS]),
    ],
)
def test_a_tick_between_begins_a_soft_count_anew(
    between: tuple[str | None, list[Trade] | None],
) -> None:
    bot = bought()

    bot.tick(4, "99.6", "101", [SELLS])
    bot.tick(5, between[0], "101", between[1])
    bot.tick(6, "99.6", "101", [SELLS])
    assert reason(bot) is None

    bot.tick(7, "99.6", "101", [SELLS])
    assert reason(bot) == "soft_stop"


def test_each_soft_rule_has_a_counter_of_its_own() -> None:
    bot = bought()

    bot.tick(4, "99.6", "101", [SELLS])
    bot.tick(5, "100.06", "101", [SELLS])
    assert reason(bot) is None
    bot.tick(6, "100.06", "101", [SELLS])

    assert reason(bot) == "soft_take_profit"


def test_soft_rules_are_off_at_zero() -> None:
    bot = bought(soft_stop_loss_pct=0, soft_take_profit_pct=0)

    for at in (4, 5, 6):
        bot.tick(at, "99.8", "101", [SELLS])

    assert reason(bot) is None


def test_the_flow_against_a_sold_position_is_buying() -> None:
    bot = sold()

    for at in (4, 5):
        bot.tick(at, "99", "100.41", [BUYS])  # loss 0.21 of 100.2: over 0.2004

    assert reason(bot) == "soft_stop"


@pytest.mark.parametrize(("at", "rule"), [(182.999, None), (183, "time_stop")])
@pytest.mark.parametrize("bid", ["99.8", None])
def test_time_stops_at_its_second_with_or_without_a_book(
    at: float, rule: str | None, bid: str | None
) -> None:
    bot = bought()

    bot.tick(at, bid, "100")

    assert reason(bot) == rule


def test_without_a_book_no_price_rule_is_judged() -> None:
    bot = bought()

    assert bot.tick(4, None) == "IN_POSITION"


def test_of_several_rules_the_first_names_the_order() -> None:
    bot = bought(take_profit_pct="0.001", soft_take_profit_pct="0.001", soft_confirm_ticks=1)

    bot.tick(200, "100", "101", [taker("sell", "9", 199)])

    assert reason(bot) == "take_profit"


def test_a_rule_once_met_stands_whatever_the_price_does() -> None:
    bot = bought()
    bot.fills_part = D("0.5")
    bot.tick(4, "99.4", "99.6")
    assert bot.state.phase.value == "IN_POSITION"
    bot.restart()
    bot.fills_part = D(1)

    bot.tick(5, "99.9", "100")

    first, second = bot.orders[1:]
    assert (second.reason, second.amount) == ("hard_stop", first.amount / 2)
    assert bot.state.phase.value == "COOLDOWN"


def test_an_exit_that_is_refused_is_sent_again_also_without_a_book() -> None:
    bot = bought()
    bot.refuses = True
    bot.tick(4, "99.4", "99.6")
    assert "insufficient balance" in bot.lines
    bot.refuses = False

    assert bot.tick(5, None) == "COOLDOWN"
    assert [order.reason for order in bot.orders[1:]] == ["hard_stop", "hard_stop"]


def test_dust_is_closed() -> None:
    bot = bought()
    bot.refuses = True
    bot.position = bot.position.model_copy(update={"dust": True})

    assert bot.tick(4, "99.4", "99.6") == "COOLDOWN"


def test_a_refusal_that_finds_dust_closes() -> None:
    bot = bought()

    def refuse(amount: object, reason: str) -> None:
        bot.position = bot.position.model_copy(update={"dust": True})
        raise OrderRefused("what is tracked is dust")

    bot.sell = refuse  # type: ignore[method-assign, assignment]

    assert bot.tick(4, "99.4", "99.6") == "COOLDOWN"


def test_a_sold_position_is_bought_back_in_full() -> None:
    bot = sold()

    bot.tick(4, "99.7", "99.8")

    assert bot.orders[1][:3] == ("buy_back", bot.orders[0].amount, "take_profit")
    assert bot.position.sold_short == 0


def test_the_entry_price_and_size_are_what_was_filled() -> None:
    bot = Bot()
    bot.average, bot.base_fee = D(90), D("0.01")
    for at, bid, ask in (
        (0, "99.9", "100.1"),
        (1, "99.5", "99.9"),
        (2, "99.6", "99.8"),
        (3, "99.6", "99.8"),
    ):
        bot.tick(at, bid, ask, [taker("sell", "100", at)] if at else [])
    assert bot.position.entry_price == D(90)

    bot.tick(4, "91", "92")

    assert reason(bot) == "take_profit"
    assert bot.orders[1].amount == bot.orders[0].amount - D("0.01")
