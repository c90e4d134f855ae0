"""``rsi_basic`` by itself: its index, its candles, what a crossing orders, what holds on any market."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.price_bot import D, Order, PriceBot

from execsvc.errors import ConfigRefused
from execsvc.model.market import Limits
from execsvc.model.order import Side
from execsvc.model.position import Position
from execsvc.strategies.registry import check
from execsvc.strategies.rsi_basic.indicator import Averages
from execsvc.strategies.rsi_basic.strategy import RsiBasic

FALLS_AND_RISES = ["100", "99", "98", "97", "99", "101"]
"""Closes whose RSI of two candles is 0 at the third and the fourth, then 60 and 84.6."""


def rsi_bot(allocation: str | None = "1000", **params: Any) -> PriceBot:
    """A bot with an RSI of two candles of a minute, unless ``params`` say otherwise."""
    return PriceBot(RsiBasic, allocation, **{"period": 2, **params})


def close_at(bot: PriceBot, *closes: str, minute: int = 0) -> None:
    """One tick a minute, from ``minute`` on, at these prices."""
    for number, price in enumerate(closes, minute):
        bot.tick(60 * number, price)


def test_averages_of_a_published_series_give_the_published_index() -> None:
    """The example by which charting programs check their RSI of 14 candles."""
    published = (
        "44.34 44.09 44.15 43.61 44.33 44.83 45.10 45.42 45.84 46.08 45.89 46.03 45.61 46.28 46.28 "
        "46.00 46.03 46.41 46.22 45.64 46.21 46.25 45.71 46.45 45.78 45.35 44.03 44.18 44.22 44.57 "
        "43.42 42.66 43.13"
    )
    closes = [D(close) for close in published.split()]
    averages, seen = Averages(), []
    for before, close in pairwise(closes):
        averages = averages.after(close - before, 14)
        seen.append(averages.rsi(14))

    assert seen[:13] == [None] * 13
    assert [round(float(rsi), 2) for rsi in seen[13:] if rsi is not None] == [
        *(70.46, 66.25, 66.48, 69.35, 66.29, 57.92, 62.88, 63.21, 56.01, 62.34),
        *(54.67, 50.39, 40.02, 41.49, 41.90, 45.50, 37.32, 33.09, 37.79),
    ]


@pytest.mark.parametrize(("change", "rsi"), [("0", 50), ("1", 100), ("-1", 0)])
def test_averages_of_one_direction_have_an_index(change: str, rsi: int) -> None:
    assert Averages().after(D(change), 1).rsi(1) == rsi


def test_rsi_bot_buys_for_its_allocation_once_the_index_crosses_upwards() -> None:
    bot = rsi_bot()
    close_at(bot, *FALLS_AND_RISES)

    assert [(o.side, o.amount * o.price, o.reason, o.at) for o in bot.orders] == [
        (Side.BUY, pytest.approx(1000), "RSI up through 30", 240)
    ]


def test_rsi_bot_without_allocation_spends_a_tenth_of_the_free_quote() -> None:
    bot = rsi_bot(allocation=None)
    close_at(bot, *FALLS_AND_RISES)

    assert bot.orders[0].amount * bot.orders[0].price == pytest.approx(1000)


def test_rsi_bot_sells_all_once_the_index_crosses_downwards() -> None:
    bot = rsi_bot()
    close_at(bot, *FALLS_AND_RISES, "95", "90")

    assert bot.sides == "bs"
    assert bot.orders[1][3:] == ("RSI down through 70", 360)
    assert bot.position.tracked == 0


def test_rsi_bot_that_holds_nothing_does_not_sell() -> None:
    bot = rsi_bot()
    close_at(bot, "100", "101", "102", "90", "80")

    assert bot.orders == []


def test_rsi_bot_reads_once_a_candle_and_closes_at_the_first_price_after_its_end() -> None:
    bot = rsi_bot()
    for second in range(0, 300, 5):
        bot.tick(second + 3, str(100 + second))

    assert bot.reads == 5
    assert bot.state.candles.close == 340


def test_rsi_bot_keeps_its_state_unchanged_between_two_closes() -> None:
    bot = rsi_bot()
    close_at(bot, "100", "99", "98")
    kept = bot.state.model_dump_json()
    bot.tick(175, "50")

    assert bot.state.model_dump_json() == kept


def test_rsi_bot_whose_ticks_come_less_often_than_candles_counts_ticks() -> None:
    bot = rsi_bot()
    bot.interval = 600.0
    for number, price in enumerate(FALLS_AND_RISES):
        bot.tick(600 * number + 1, price)

    assert bot.sides == "b"
    assert "candles of 600 s" in bot.lines[0]


def test_rsi_bot_with_some_candles_without_a_price_still_sees_the_crossing() -> None:
    bot = rsi_bot()
    close_at(bot, *FALLS_AND_RISES[:4])
    for minute in (4, 5):
        bot.tick(60 * minute, None)
    bot.tick(360, "99")

    assert bot.sides == "b"


def test_rsi_bot_after_a_long_gap_begins_anew() -> None:
    bot = rsi_bot()
    close_at(bot, *FALLS_AND_RISES[:4])
    bot.tick(60 * 7, "200")

    assert bot.orders == []
    assert bot.state.candles.rsi is None
    assert sum("begins to count" in line for line in bot.lines) == 2


def test_rsi_bot_with_other_parameters_begins_anew() -> None:
    bot = rsi_bot()
    close_at(bot, *FALLS_AND_RISES[:4])
    bot.params = bot.params.model_copy(update={"period": 3})
    bot.tick(240, "99")

    assert bot.state.candles.rsi is None


def test_rsi_bot_whose_entry_is_refused_waits_for_the_next_crossing() -> None:
    bot = rsi_bot()
    close_at(bot, *FALLS_AND_RISES[:4])
    bot.tick(240, "99", "refused")
    assert bot.strategy.diagnostics().refused == "no"
    bot.tick(245, "99")
    assert bot.strategy.diagnostics().refused is None

    assert bot.orders == []
    assert bot.lines[-1] == "no entry, RSI up through 30: no"


def test_rsi_bot_whose_entry_lacks_a_read_tries_until_the_candle_closes() -> None:
    bot, other = rsi_bot(), rsi_bot()
    for each in (bot, other):
        close_at(each, *FALLS_AND_RISES[:4])
        each.tick(240, "99", "unread")
        each.tick(245, "99", "unread")
    bot.tick(250, "99")
    other.tick(300, "99")
    other.tick(305, "99")

    assert bot.sides == "b"
    assert other.sides == ""


def test_rsi_bot_whose_sale_is_refused_or_partial_goes_on_selling() -> None:
    bot = rsi_bot()
    close_at(bot, *FALLS_AND_RISES)
    for at, fate in ((360, "refused"), (365, "unread"), (370, "part"), (420, "ok")):
        bot.tick(at, "95", fate)

    assert bot.sides == "bss"
    assert bot.position.tracked == 0
    assert bot.state.signal is None


def test_rsi_bot_killed_behind_an_order_neither_repeats_nor_forgets_it() -> None:
    bot = rsi_bot()
    close_at(bot, *FALLS_AND_RISES[:4])
    bot.tick(240, "99", "dies")
    bot.tick(245, "99")
    close_at(bot, "101", minute=5)
    bot.tick(360, "90", "dies")
    bot.tick(365, "90")

    assert bot.sides == "bs"
    assert bot.state.signal is None


def test_rsi_bot_with_dust_buys_again() -> None:
    bot = rsi_bot()
    bot.position = Position(tracked=D("0.000001"), dust=True)
    close_at(bot, *FALLS_AND_RISES)

    assert bot.sides == "b"


class Moment(NamedTuple):
    wait: int
    move: int
    fate: str


FATES = ["ok"] * 6 + ["refused", "part", "unread", "dies"]
moments = st.builds(
    Moment,
    wait=st.sampled_from([5, 20, 60, 60, 60, 130]),
    move=st.integers(-12, 12),
    fate=st.sampled_from(FATES),
)
markets = st.lists(moments, min_size=10, max_size=80)
some_params = st.fixed_dictionaries(
    {
        "period": st.integers(1, 4),
        "buy_threshold": st.sampled_from(["0", "30", "50"]),
        "sell_threshold": st.sampled_from(["60", "70", "100"]),
    }
)


class Played(NamedTuple):
    orders: list[Order]
    held: list[Decimal]
    """The cost of the position, after each tick."""
    bot: PriceBot


def play(
    market: list[Moment], params: dict[str, Any], restarts: bool = False, deaths: bool = True
) -> Played:
    """A walk of the price from 100 on; ``restarts``: a new process on every tick."""
    bot, at, price = rsi_bot("500", **params), 0, 100
    bot.base_fee, bot.decimals = D("0.001"), 5
    bot.minima = Limits(min_amount=D("0.00001"), min_notional=D(5))
    held = []
    for moment in market:
        at, price = at + moment.wait, max(price + moment.move, 5)
        if restarts:
            bot.restart()
        fate = moment.fate if deaths or moment.fate != "dies" else "ok"
        bot.tick(at, D(price), fate)
        held.append(bot.position.tracked * (bot.position.entry_price or 0))
    return Played(bot.orders, held, bot)


@given(markets, some_params)
def test_rsi_bot_never_holds_more_than_its_allocation(
    market: list[Moment], params: dict[str, Any]
) -> None:
    assert max(play(market, params).held) <= 500


@given(markets, some_params)
def test_rsi_bot_never_sells_what_it_did_not_buy(
    market: list[Moment], params: dict[str, Any]
) -> None:
    bought = D(0)
    for order in play(market, params).orders:
        bought += order.amount if order.side is Side.BUY else -order.amount
        assert bought >= 0


@given(markets, some_params)
def test_rsi_bot_orders_the_same_on_the_same_market(
    market: list[Moment], params: dict[str, Any]
) -> None:
    assert play(market, params).orders == play(market, params).orders


@given(markets, some_params)
def test_rsi_bot_restarted_on_every_tick_orders_the_same(
    market: list[Moment], params: dict[str, Any]
) -> None:
    one = play(market, params, deaths=False)
    other = play(market, params, restarts=True, deaths=False)

    assert other.orders == one.orders
    assert other.bot.state == one.bot.state


@given(st.lists(st.integers(-12, 12), min_size=4, max_size=60), some_params)
def test_rsi_bot_orders_what_an_index_computed_from_all_closes_says(
    moves: list[int], params: dict[str, Any]
) -> None:
    market = [Moment(60, move, "ok") for move in moves]
    closes = [100]
    for move in moves:
        closes.append(max(closes[-1] + move, 5))
    seen = [(order.side.value, round(order.at / 60)) for order in play(market, params).orders]

    assert seen == crossings(closes[1:], **params)


def crossings(
    closes: list[int], period: int, buy_threshold: str, sell_threshold: str
) -> list[tuple[str, int]]:
    """Orders by an index that is computed anew, from all closes, at each of them."""
    low, high = float(buy_threshold), float(sell_threshold)
    index = [whole_rsi(closes[: n + 1], period) for n in range(len(closes))]
    found: list[tuple[str, int]] = []
    for n in range(1, len(closes)):
        before, now = index[n - 1], index[n]
        if before is None or now is None:
            continue
        holds = bool(found) and found[-1][0] == "buy"
        if not holds and before <= low < now:
            found.append(("buy", n + 1))
        elif holds and before >= high > now:
            found.append(("sell", n + 1))
    return found


def whole_rsi(closes: list[int], period: int) -> float | None:
    changes = [b - a for a, b in pairwise(closes)]
    if len(changes) < period:
        return None
    gain = sum(max(change, 0) for change in changes[:period]) / period
    loss = sum(max(-change, 0) for change in changes[:period]) / period
    for change in changes[period:]:
        gain = (gain * (period - 1) + max(change, 0)) / period
        loss = (loss * (period - 1) + max(-change, 0)) / period
    return 50.0 if gain + loss == 0 else round(100 * gain / (gain + loss), 9)


def test_these_markets_do_trade() -> None:
    """The cases of the properties occur: otherwise the properties would hold of nothing."""
    moves = [0, -5, -5, 10, 10, -20, -20, 20]
    played = play([Moment(60, move, "ok") for move in moves], {"period": 2})

    assert [order.side.value for order in played.orders] == ["buy", "sell", "buy"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"period": 0}, "params.period"),
        ({"period": 2.5}, "params.period"),
        ({"buy_threshold": -1}, "params.buy_threshold"),
        ({"sell_threshold": 101}, "params.sell_threshold"),
        ({"buy_threshold": "1e-999999999"}, "more than 18 decimals"),
        ({"buy_threshold": 70, "sell_threshold": 70}, "has to be above buy_threshold, which is 70"),
        (
            {"buy_threshold": 80, "sell_threshold": None},
            "has to be above buy_threshold, which is 80",
        ),
        ({"candle_sec": 0}, "params.candle_sec"),
        ({"allocation_ratio": 0}, "params.allocation_ratio"),
    ],
)
def test_rsi_params_that_cannot_be_used_are_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigRefused, match=said):
        check("rsi_basic", wrong)


def test_rsi_params_left_out_are_the_catalogues() -> None:
    check("rsi_basic", {})
    params = RsiBasic.Params()
    assert params.model_dump() == {
        "period": 14,
        "buy_threshold": 30,
        "sell_threshold": 70,
        "candle_sec": 60,
        "allocation_ratio": D("0.1"),
    }
