"""Tick times: without drift, never bunched, spread over the interval."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execsvc.runner.control_loop import Grid

intervals = st.floats(0.05, 3600)
moments = st.floats(0, 1e7)


@given(interval=intervals, moment=moments)
def test_the_next_tick_is_within_one_interval(interval: float, moment: float) -> None:
    due = Grid("b1", interval).after(moment)
    assert 0 < due - moment <= interval * 1.02


def test_many_ticks_do_not_drift() -> None:
    grid = Grid("b1", 0.1)
    first = due = grid.after(1000.0)
    for _ in range(100_000):
        due = grid.after(due)
    assert due == pytest.approx(first + 10_000, abs=1e-6)


def test_a_late_tick_skips_what_it_missed() -> None:
    grid = Grid("b1", 5.0)
    due = grid.after(1000.0)
    late = due + 17.0
    following = grid.after(max(due, late))
    assert following > late
    assert (following - due) / 5.0 == pytest.approx(4.0)


def test_bots_are_spread_over_the_interval() -> None:
    phases = sorted(Grid(f"bot {n}", 10.0).after(0.0) for n in range(200))
    for tenth in range(10):
        assert sum(tenth <= phase < tenth + 1 for phase in phases) >= 8


@given(interval=intervals, first=moments, bot=st.integers(0, 50))
def test_the_second_tick_is_on_the_grid_and_not_at_once(
    interval: float, first: float, bot: int
) -> None:
    grid = Grid(f"bot {bot}", interval)
    second = grid.second(first)
    assert 0.24 * interval <= second - first <= 1.27 * interval
    assert grid.after(second) - second == pytest.approx(interval, rel=0.02)
