"""Sentence by sentence: the cooldown after an exit."""

from __future__ import annotations

import pytest
from support.orderflow import bought, taker


@pytest.mark.parametrize(("at", "phase"), [(123.999, "COOLDOWN"), (124, "WAIT_CONFIRM")])
def test_the_tick_on_which_a_cooldown_ends_looks_for_pressure(at: float, phase: str) -> None:
    bot = bought(pressure_signals_required=1)
    bot.tick(4, "99.4", "99.6")

    assert bot.tick(at, "99.4", "99.6", [taker("sell", "100", at)]) == phase


def test_a_cooldown_of_zero_ends_on_the_next_tick() -> None:
    bot = bought(pressure_signals_required=1, cooldown_sec=0)

    assert bot.tick(4, "99.4", "99.6", [taker("sell", "100", 4)]) == "COOLDOWN"
    assert bot.tick(5, "99.4", "99.6", [taker("sell", "100", 5)]) == "WAIT_CONFIRM"
