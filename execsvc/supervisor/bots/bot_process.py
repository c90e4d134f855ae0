"""A process of a bot as the operating system has it: its child, its pipe, and its counts so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from execsvc.runner.counts import NOTHING
from execsvc.runner.job import Job
from execsvc.runner.report import Snapshot, decode
from execsvc.settings import Settings
from execsvc.supervisor.bots.totals import Totals
from execsvc.supervisor.processes.child import Child
from execsvc.workers.lines import Lines

Runner = Callable[[Job, Settings, int, int], int]
"""``run(job, settings, lifeline, report)``: the work of a forked runner, its exit code."""


@dataclass
class BotProcess:
    """A process of a bot, until it is reaped; :class:`Run` has the facts about it."""

    bot_id: str
    child: Child
    lines: Lines
    """The pipe of its reports."""
    reported: int = 0
    """Rows that the process had put in its outbox, at the last call of :meth:`has_news`."""
    counted: tuple[int, ...] = NOTHING

    def latest(self, totals: Totals) -> Snapshot | None:
        """The latest report that waits, its counts added to ``totals``; None when there is none."""
        snapshot = None
        for line in self.lines.read():
            try:
                snapshot = decode(line)
            except ValueError:
                continue  # a strategy wrote to this pipe; missing reports are judged elsewhere
        if snapshot is not None:
            self.counted = totals.take(self.counted, snapshot.counts)
        return snapshot

    def has_news(self, snapshot: Snapshot) -> bool:
        """True when the process has put rows in its outbox since the last call."""
        before, self.reported = self.reported, snapshot.reported
        return before != self.reported
