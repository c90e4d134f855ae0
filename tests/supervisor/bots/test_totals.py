"""Sums over processes that come, go and take their last words with them."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from execsvc.runner.counts import NOTHING, SIZE
from execsvc.supervisor.bots.totals import Totals

STEP = st.tuples(st.integers(0, SIZE - 1), st.integers(1, 10**6))
HEARD = st.booleans()
LIFE = st.lists(st.tuples(STEP, HEARD), max_size=12)
"""The counts of a process, each with True when the report of it arrives."""


class Process:
    """One process as the supervisor follows it."""

    def __init__(self, life: list[Any]) -> None:
        self.steps = list(life)
        self.counted = list(NOTHING)
        self.taken: tuple[int, ...] = NOTHING
        self.heard: tuple[int, ...] = NOTHING

    def live(self, totals: Totals) -> None:
        (index, more), arrives = self.steps.pop(0)
        self.counted[index] += more
        if arrives:
            self.heard = tuple(self.counted)
            self.taken = totals.take(self.taken, self.heard)


@given(lives=st.lists(LIFE, max_size=6), data=st.data())
def test_the_sum_is_what_every_process_reported_last(lives: list[Any], data: Any) -> None:
    totals, processes = Totals(), [Process(life) for life in lives]
    while alive := [process for process in processes if process.steps]:
        before = totals.numbers
        data.draw(st.sampled_from(alive)).live(totals)
        assert all(now >= was for was, now in zip(before, totals.numbers, strict=True))
    heard = [process.heard for process in processes]
    assert totals.numbers == tuple(map(sum, zip(NOTHING, *heard, strict=True)))


@given(life=LIFE)
def test_a_lost_report_is_made_good_by_the_next(life: list[Any]) -> None:
    totals, process = Totals(), Process(life)
    while process.steps:
        process.live(totals)
    totals.take(process.taken, process.counted)
    assert totals.numbers == tuple(process.counted)


def test_a_new_process_begins_at_zero() -> None:
    totals = Totals()
    first = totals.take(NOTHING, (5,) * SIZE)
    totals.take(first, (7,) * SIZE)
    totals.take(NOTHING, (2,) * SIZE)
    assert totals.numbers == (9,) * SIZE


def test_a_report_that_says_less_makes_nothing_count_twice() -> None:
    totals = Totals()
    taken = totals.take(NOTHING, (5,) * SIZE)
    taken = totals.take(taken, NOTHING)
    assert totals.numbers == (5,) * SIZE
    totals.take(taken, (6,) * SIZE)
    assert totals.numbers == (6,) * SIZE
