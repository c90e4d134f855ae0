"""The reports to the supervisor, and the changes that are not reported at once."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from execsvc.runner import reporter as module
from execsvc.runner.report import End, EndKind, Snapshot, decode
from execsvc.runner.reporter import BEAT_SECONDS, TICK_SECONDS, Reporter


class Told:
    """A reporter in a time of its own, and what came through its pipe."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(module, "monotonic", lambda: self.now)
        self.pipe, write = os.pipe2(os.O_NONBLOCK)
        self.ends = (self.pipe, write)
        self.reporter = Reporter(write)

    def reports(self) -> list[Snapshot]:
        try:
            return [decode(line) for line in os.read(self.pipe, 1 << 16).splitlines()]
        except BlockingIOError:
            return []

    def tick(self, after: float, **changes: object) -> None:
        self.now += after
        count = self.reporter.snapshot.ticks + 1
        self.reporter.update(ticks=count, last_tick_at=f"at {self.now}", **changes)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    made = Told(monkeypatch)
    yield made
    for end in made.ends:
        os.close(end)


def test_the_first_tick_is_told_at_once(told: Told) -> None:
    told.reporter.update(phase="RUNNING")
    told.tick(0.01)
    assert [report.ticks for report in told.reports()] == [0, 1]


def test_ticks_that_bring_nothing_new_go_with_the_next_report(told: Told) -> None:
    for _ in range(9):
        told.tick(0.25)
    assert [report.ticks for report in told.reports()] == [1, 1 + TICK_SECONDS / 0.25]


def test_a_tick_within_the_gap_is_told_two_seconds_after_the_last_report(told: Told) -> None:
    told.tick(0.0)
    told.tick(0.5)
    assert told.reporter.beat() == BEAT_SECONDS - 0.5
    told.now += BEAT_SECONDS - 0.5
    assert told.reporter.beat() is None
    assert [report.ticks for report in told.reports()] == [1, 2]


@pytest.mark.parametrize(
    "news",
    [{"last_error": "x"}, {"consecutive_errors": 1}, {"phase": "STOPPING"}, {"contested": 1}],
)
def test_whatever_else_changes_is_told_at_once(told: Told, news: dict[str, object]) -> None:
    told.tick(0.0)
    told.tick(0.01)
    told.reporter.update(**news)
    told.tick(0.01, last_error="y")
    told.tick(0.01, last_error=None)
    assert [report.ticks for report in told.reports()] == [1, 2, 3, 4]
    assert told.reporter.beat() is None


def test_what_does_not_change_is_not_told(told: Told) -> None:
    told.reporter.update(phase="RUNNING")
    told.reporter.update(phase="RUNNING", last_error=None)
    assert len(told.reports()) == 1
    told.now += BEAT_SECONDS
    told.reporter.beat()
    assert len(told.reports()) == 1


def test_the_end_tells_every_tick(told: Told) -> None:
    told.tick(0.0)
    told.tick(0.01)
    told.reporter.end(End(kind=EndKind.STOPPED))
    assert told.reports()[-1].ticks == 2
