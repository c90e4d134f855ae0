"""For how long a bot has read nothing that it could use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timezone

import pytest

from execsvc.clock import SimulatedClock, installed
from execsvc.runner.report import Snapshot, decode
from execsvc.runner.reporter import Reporter


class Bench:
    """A reporter on a clock that the test moves."""

    def __init__(self, clock: SimulatedClock) -> None:
        self.pass_time = clock.advance
        self._clock = clock
        self._looks = 0
        self._pipe, self._write = os.pipe2(os.O_NONBLOCK)
        self.reporter = Reporter(self._write)

    def tick(self, *reads: bool, unread: bool = False) -> None:
        began = self._clock.monotonic()
        for read in reads:
            self.read(read)
        self.reporter.ticked(began, unread)

    def read(self, succeeds: bool) -> None:
        if succeeds:
            self.reporter.read_succeeded()
        else:
            self.reporter.read_failed("balance")

    @property
    def told(self) -> Snapshot:
        self._looks += 1
        self.reporter.update(last_error=f"look {self._looks}")
        return decode(os.read(self._pipe, 1 << 16).splitlines()[-1])

    def close(self) -> None:
        os.close(self._pipe)
        os.close(self._write)


@pytest.fixture
def bench() -> Iterator[Bench]:
    clock = SimulatedClock(datetime(2026, 1, 1, tzinfo=timezone.utc), 5000.0)
    with installed(clock):
        made = Bench(clock)
        yield made
        made.close()


def test_unread_ticks_that_end_at_a_failed_read_add_up_until_one_does_not(bench: Bench) -> None:
    bench.tick(True)
    assert bench.told.unread == 0
    bench.pass_time(5)
    bench.tick(True, False, unread=True)
    bench.pass_time(30)
    bench.tick(False, unread=True)
    bench.pass_time(31)
    assert bench.told.unread == 61
    bench.tick(True, True)
    bench.pass_time(5)
    assert bench.told.unread == 0


def test_unread_failures_that_a_strategy_swallows_count_where_all_reads_fail(bench: Bench) -> None:
    bench.tick(False, False)
    bench.pass_time(61)
    assert bench.told.unread == 61
    bench.tick(False, True, False)
    bench.pass_time(1)
    assert bench.told.unread == 0


def test_unread_bot_that_reads_nothing_is_none(bench: Bench) -> None:
    bench.tick(False, unread=True)
    bench.pass_time(5)
    bench.tick()
    bench.pass_time(600)
    assert bench.told.unread == 0


def test_unread_reads_that_fail_within_one_long_wait_count(bench: Bench) -> None:
    """A settlement, at the start or within a tick, reads until it is answered."""
    bench.read(False)
    bench.pass_time(30)
    bench.read(False)
    bench.pass_time(40)
    assert bench.told.unread == 70
    bench.read(True)
    assert bench.told.unread == 0


def test_unjudged_looks_add_up_until_one_tells_whatever_else_is_read(bench: Bench) -> None:
    bench.reporter.checked(judged=True)
    bench.pass_time(5)
    assert bench.told.unjudged == 0
    bench.reporter.checked(judged=False)
    bench.tick(True)
    bench.pass_time(30)
    bench.reporter.checked(judged=False)
    bench.tick(True)
    bench.pass_time(31)
    assert (bench.told.unjudged, bench.told.unread) == (61, 0)
    bench.reporter.checked(judged=True)
    assert bench.told.unjudged == 0
