"""Sentence by sentence: when one-sided flow is pressure."""

from __future__ import annotations

import pytest
from support.orderflow import Bot, D, buy_pressure, calm, ms, sell_pressure, taker

from execsvc.model.order import Side
from execsvc.strategies.orderflow_exhaustion_v1.dealt_trades import Flow
from execsvc.strategies.orderflow_exhaustion_v1.pressure import PressureSignals


def seen(bot: Bot) -> PressureSignals:
    signals = bot.strategy.last_tick.signals
    assert signals is not None
    return signals


def test_all_three_signals_at_their_thresholds_are_pressure() -> None:
    bot = Bot()
    bot.tick(0, "999", "1001")

    # volume 50 = 50 at least; no other side; spread 3 = 1.5 * 2; mid falls by 1 = 0.001 * 1000
    phase = bot.tick(1, "997.5", "1000.5", [taker("sell", "50", 1)])

    assert phase == "WAIT_CONFIRM"


@pytest.mark.parametrize(
    ("bid", "ask", "trades", "missing"),
    [
        ("997.5", "1000.5", [taker("sell", "49.99", 1)], "volume"),
        ("997.5", "1000.5", [], "volume"),
        ("997.5", "1000.5", [taker("sell", "50", 1), taker("buy", "20.01", 1)], "imbalance"),
        ("997.505", "1000.495", [taker("sell", "50", 1)], "spread"),
        ("997.51", "1000.51", [taker("sell", "50", 1)], "jump"),
        ("999.5", "1002.5", [taker("sell", "50", 1)], "jump"),
    ],
)
def test_one_signal_short_of_its_threshold_is_none(
    bid: str, ask: str, trades: list[object], missing: str
) -> None:
    bot = Bot()
    bot.tick(0, "999", "1001")

    assert bot.tick(1, bid, ask, trades) == "FLAT"  # type: ignore[arg-type]
    assert seen(bot).first_missing == missing


def test_the_ratio_is_met_at_equality() -> None:
    bot = Bot()
    bot.tick(0, "999", "1001")

    trades = [taker("sell", "50", 1), taker("buy", "20", 1)]

    assert bot.tick(1, "997.5", "1000.5", trades) == "WAIT_CONFIRM"


def test_no_volume_at_all_is_no_imbalance_even_with_a_floor_of_zero() -> None:
    bot = Bot(min_total_quote_volume=0, pressure_signals_required=1)

    assert bot.tick(0, "99", "101") == "FLAT"
    assert bot.tick(1, "99", "101", [taker("buy", "0.01", 1)]) == "WAIT_CONFIRM"


def test_buy_pressure_wants_a_jump_upwards() -> None:
    bot = Bot()
    calm(bot)

    assert buy_pressure(bot) == "WAIT_CONFIRM"
    assert bot.state.pressure is not None
    assert bot.state.pressure.side is Side.BUY


def test_a_jump_of_zero_is_none_even_at_a_threshold_of_zero() -> None:
    bot = Bot(sweep_move_pct_threshold=0)
    calm(bot)

    assert bot.tick(1, "99.7", "100.3", [taker("sell", "100", 1)]) == "FLAT"
    assert bot.tick(2, "99", "100.3", [taker("sell", "100", 2)]) == "WAIT_CONFIRM"


def test_the_first_tick_has_no_expanded_spread_and_no_jump() -> None:
    bot = Bot(pressure_signals_required=2)

    bot.tick(0, "99", "101", [taker("sell", "100", 0)])

    assert seen(bot) == PressureSignals(True, Side.SELL, False, False, Flow(D(0), D(100)))


@pytest.mark.parametrize(
    ("required", "phase"), [(1, "WAIT_CONFIRM"), (2, "WAIT_CONFIRM"), (3, "FLAT")]
)
def test_so_many_signals_are_required(required: int, phase: str) -> None:
    bot = Bot(pressure_signals_required=required)
    calm(bot)

    # imbalance and spread; no jump
    assert bot.tick(1, "99.8", "100.2", [taker("sell", "100", 1)]) == phase


def test_the_imbalance_must_hold_however_few_are_required() -> None:
    bot = Bot(pressure_signals_required=1)
    calm(bot)

    trades = [taker("sell", "100", 1), taker("buy", "100", 1)]

    assert bot.tick(1, "98", "99", trades) == "FLAT"


def test_signals_must_come_on_one_tick() -> None:
    bot = Bot()
    calm(bot)

    assert bot.tick(1, "99.5", "99.9") == "FLAT"  # spread and jump
    assert bot.tick(2, "99.5", "99.9", [taker("sell", "100", 2)]) == "FLAT"  # imbalance


@pytest.mark.parametrize(("at", "phase"), [(3, "WAIT_CONFIRM"), (3.001, "FLAT")])
def test_a_last_book_older_than_three_intervals_gives_no_jump(at: float, phase: str) -> None:
    bot = Bot()
    calm(bot)

    assert sell_pressure(bot, at) == phase


def test_a_spread_is_judged_against_the_average_and_then_enters_it() -> None:
    bot = Bot(spread_ema_alpha="0.5")
    calm(bot)
    assert bot.state.memory.spread_average == D("0.2")

    bot.tick(1, "99.8", "100.2")

    assert bot.state.memory.spread_average == D("0.3")
    bot.tick(2, "99.775", "100.225")
    assert seen(bot).expanded


def test_what_is_remembered_of_pressure() -> None:
    bot = Bot()
    calm(bot)

    sell_pressure(bot)

    found = bot.state.pressure
    assert found is not None
    assert (found.side, found.exchange_time) == (Side.SELL, ms(1))
    assert (found.calm_spread, found.extreme) == (D("0.2"), D("99.5"))


def test_buy_pressure_remembers_the_best_ask() -> None:
    bot = Bot()
    calm(bot)
    buy_pressure(bot)

    assert bot.state.pressure is not None
    assert bot.state.pressure.extreme == D("100.5")


def test_without_an_average_the_calm_spread_is_the_spread_itself() -> None:
    bot = Bot(pressure_signals_required=1)

    bot.tick(0, "99.9", "100.1", [taker("sell", "100", 0)])

    assert bot.state.pressure is not None
    assert bot.state.pressure.calm_spread == D("0.2")
