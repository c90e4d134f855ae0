"""The report of ``orderflow_exhaustion_v1`` on a tick."""

from __future__ import annotations

import pytest
from support.orderflow import Bot, D, buy_pressure, calm, taker

from execsvc.strategies.diagnostics import NONE, Diagnostics
from execsvc.strategies.orderflow_exhaustion_v1.dealt_trades import Flow, Window


def test_diagnostics_before_the_first_tick_are_empty() -> None:
    assert Bot().strategy.diagnostics() == NONE


def test_diagnostics_of_a_tick_without_a_signal_name_the_first_missing_condition() -> None:
    bot = Bot()
    bot.tick(0, "999", "1001")
    bot.tick(1, "997.5", "1000.5", [taker("sell", "50", 1), taker("buy", "20.01", 1)])

    assert bot.strategy.diagnostics() == Diagnostics(
        judged=True, missing="imbalance", bought=D("20.01"), sold=D(50)
    )


def test_diagnostics_of_a_signal_name_its_side_and_its_kinds() -> None:
    bot = Bot()
    bot.tick(0, "999", "1001")
    bot.tick(1, "997.5", "1000.5", [taker("sell", "50", 1)])

    told = bot.strategy.diagnostics()
    assert (told.judged, told.missing, told.signal) == (True, None, "SELL imbalance+spread+jump")


def test_diagnostics_of_a_signal_that_is_waited_on_judge_no_new_one() -> None:
    bot = Bot()
    calm(bot)
    buy_pressure(bot)
    bot.tick(9, "1003", "1005")

    assert not bot.strategy.diagnostics().judged
    assert bot.strategy.diagnostics().signal is None


def test_diagnostics_of_a_judged_tick_sum_its_trades_no_second_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sums: list[int] = []
    flow = Window.flow

    def counted(window: Window, after: int | None = None) -> Flow:
        sums.append(window.count)
        return flow(window, after)

    monkeypatch.setattr(Window, "flow", counted)
    bot = Bot()
    bot.tick(0, "999", "1001", [taker("sell", "50", 0)])

    assert bot.strategy.diagnostics().sold == D(50)
    assert sums == [1]
