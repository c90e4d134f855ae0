"""Sentence by sentence: what becomes of pressure, and the entry that fades it."""

from __future__ import annotations

import pytest
from support.orderflow import Bot, D, Order, buy_pressure, calm, ms, sell_pressure, taker

from execsvc.model.order import Side


def pressed(**params: object) -> Bot:
    """SELL pressure on tick 1: mid 99.7, extreme 99.5, calm spread 0.2."""
    bot = Bot(**params)  # type: ignore[arg-type]
    calm(bot)
    assert sell_pressure(bot) == "WAIT_CONFIRM"
    return bot


def absorb(bot: Bot, at: float) -> str:
    return bot.tick(at, "99.6", "99.8", [taker("sell", "10", at)])


def test_the_tick_of_the_pressure_counts_nothing_and_enough_absorbed_ticks_enter() -> None:
    bot = pressed()
    assert bot.state.absorbed == 0

    assert absorb(bot, 2) == "WAIT_CONFIRM"
    assert bot.state.absorbed == 1
    assert absorb(bot, 3) == "IN_POSITION"


def test_a_full_pressure_of_the_other_side_replaces_everything() -> None:
    bot = pressed()
    absorb(bot, 2)

    # 300 bought against 110 sold; the spread is wide; the mid jumps up; the bid is no new low
    phase = bot.tick(3, "99.7", "100.3", [taker("sell", "110", 2), taker("buy", "300", 3)])

    assert phase == "WAIT_CONFIRM"
    found = bot.state.pressure
    assert found is not None
    assert (found.side, found.extreme, found.exchange_time) == (Side.BUY, D("100.3"), ms(3))
    assert found.calm_spread != D("0.2")
    assert found.at == bot.now
    assert bot.state.absorbed == 0


def test_pressure_of_the_same_side_replaces_nothing() -> None:
    bot = pressed()
    first = bot.state.pressure

    bot.tick(2, "99.5", "99.52", [taker("sell", "500", 2)])

    assert bot.state.pressure == first


def test_a_new_extreme_replaces_the_old_and_begins_the_count_anew_but_not_the_time() -> None:
    bot = pressed(confirm_absorption_ticks=3)
    absorb(bot, 2)
    before = bot.state.pressure
    assert before is not None

    bot.tick(3, "99.49", "99.69", [taker("sell", "10", 3)])

    found = bot.state.pressure
    assert found is not None
    assert (found.extreme, found.at, found.exchange_time) == (
        D("99.49"),
        before.at,
        before.exchange_time,
    )
    assert bot.state.absorbed == 0


def test_an_equal_extreme_is_not_beyond() -> None:
    bot = pressed(confirm_absorption_ticks=3)
    absorb(bot, 2)

    bot.tick(3, "99.5", "99.74", [taker("sell", "10", 3)])

    assert bot.state.absorbed == 0  # counted down, by the mid: not set to 0 anew
    absorb(bot, 4)
    assert bot.state.absorbed == 1


@pytest.mark.parametrize(
    ("bid", "ask", "trades", "count"),
    [
        ("99.6", "99.84", [taker("sell", "1", 3)], 2),  # spread 0.24 = 1.2 * 0.2; the mid rises
        ("99.6", "99.841", [taker("sell", "1", 3)], 0),  # spread above
        ("99.6", "99.8", [taker("sell", "1", 3)], 2),  # the mid stands
        ("99.59", "99.79", [taker("sell", "1", 3)], 0),  # the mid falls
        ("99.6", "99.8", [taker("sell", "1", 3), taker("buy", "1", 3)], 0),  # flow is even
        ("99.6", "99.8", [taker("sell", "9", 1), taker("buy", "1", 3)], 0),  # what came before
        ("99.6", "99.8", [taker("sell", "9", 1)], 0),  # no trade since, no lean
        ("99.6", "99.8", [], 0),
        ("99.6", "99.8", None, 0),
    ],
)
def test_what_counts_as_an_absorbed_tick(
    bid: str, ask: str, trades: list[object] | None, count: int
) -> None:
    bot = pressed(confirm_absorption_ticks=5)
    absorb(bot, 2)

    bot.tick(3, bid, ask, trades)  # type: ignore[arg-type]

    assert bot.state.absorbed == count


def test_the_count_does_not_go_below_zero() -> None:
    bot = pressed()
    for at in (2, 3, 4):
        bot.tick(at, "99.6", "99.8")

    assert bot.state.absorbed == 0
    absorb(bot, 5)
    assert bot.state.absorbed == 1


def test_absorbed_buy_pressure_wants_the_flow_to_go_on_buying() -> None:
    bot = Bot(confirm_absorption_ticks=1)
    calm(bot)
    buy_pressure(bot)

    assert bot.tick(2, "100.2", "100.4", [taker("sell", "1", 2)]) == "WAIT_CONFIRM"
    assert bot.tick(3, "100.2", "100.4", [taker("buy", "9", 3)]) == "IN_POSITION"


@pytest.mark.parametrize(("at", "phase"), [(120.999, "WAIT_CONFIRM"), (121, "FLAT")])
def test_pressure_that_is_not_absorbed_times_out_at_the_second(at: float, phase: str) -> None:
    bot = pressed()

    assert bot.tick(at, "99.6", "99.8") == phase


def test_a_timed_out_pressure_has_no_cooldown_and_is_looked_at_from_the_next_tick() -> None:
    bot = pressed(confirm_timeout_sec=5, pressure_signals_required=1)

    assert bot.tick(6, "99.6", "99.8", [taker("sell", "100", 6)]) == "FLAT"
    assert bot.tick(7, "99.6", "99.8", [taker("sell", "100", 7)]) == "WAIT_CONFIRM"


def test_an_entry_goes_before_the_time_out() -> None:
    bot = pressed(confirm_timeout_sec=5, confirm_absorption_ticks=1)

    assert absorb(bot, 6) == "IN_POSITION"


def test_time_runs_out_without_a_book_too() -> None:
    bot = pressed(confirm_timeout_sec=5)

    assert bot.tick(6, None) == "FLAT"


def entered(side: str, **changes: object) -> Bot:
    bot = Bot(confirm_absorption_ticks=1)
    for name, value in changes.items():
        setattr(bot, name, value)
    calm(bot)
    if side == "BUY":
        sell_pressure(bot)
        bot.tick(2, "99.6", "99.8", [taker("sell", "10", 2)])
    else:
        buy_pressure(bot)
        bot.tick(2, "100.2", "100.4", [taker("buy", "10", 2)])
    return bot


def test_absorbed_sell_pressure_buys_for_a_part_of_the_free_quote_at_the_best_ask() -> None:
    bot = entered("BUY")

    # 10 000 * 0.1 / 99.8 = 10.020040…
    assert bot.orders == [Order("buy", D("10.02004"), "absorbed SELL pressure", 2)]
    assert bot.state.phase.value == "IN_POSITION"


def test_absorbed_buy_pressure_sells_a_part_of_the_users_free_base() -> None:
    bot = entered("SELL")

    assert bot.orders == [Order("sell_owned", D("0.10000"), "absorbed BUY pressure", 2)]


def test_the_allocation_caps_both() -> None:
    bought, sold = entered("BUY", allocation=D(5)), entered("SELL", allocation=D(5))

    assert bought.orders[0].amount == D("0.05010")
    assert sold.orders[0].amount == D("0.04990")


@pytest.mark.parametrize("changes", [{"refuses": True}, {"free": {"USDT": D(0), "BTC": D(0)}}])
@pytest.mark.parametrize("side", ["BUY", "SELL"])
def test_an_entry_that_fails_cools_down_with_one_line(
    side: str, changes: dict[str, object]
) -> None:
    bot = entered(side, **changes)

    assert bot.state.phase.value == "COOLDOWN"
    assert len(bot.lines) == 1
    assert bot.lines[0].startswith(f"no {side} entry: ")
    told = bot.strategy.diagnostics()
    assert told.ended == "absorbed"
    assert bot.lines[0] == f"no {side} entry: {told.refused}"


def test_an_entry_that_could_not_be_tried_is_tried_again() -> None:
    bot = entered("BUY", loses_ticker=True)
    assert bot.state.phase.value == "WAIT_CONFIRM"
    bot.loses_ticker = False

    assert absorb(bot, 3) == "IN_POSITION"
