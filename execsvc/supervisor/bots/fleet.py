"""All bots of the service, their processes, and the pipes, queue and sums of these."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from execsvc.runner.counts import NOTHING
from execsvc.runner.job import Job
from execsvc.runner.report import Snapshot, decode
from execsvc.settings import Settings
from execsvc.supervisor.bots.bot import Bot
from execsvc.supervisor.bots.next_step import ServiceMode
from execsvc.supervisor.bots.recent import Recent
from execsvc.supervisor.bots.totals import Totals
from execsvc.supervisor.processes.child import Child
from execsvc.supervisor.processes.report_pipes import ReportPipes
from execsvc.workers.lines import Lines

Runner = Callable[[Job, Settings, int, int], int]
"""``run(job, settings, lifeline, report)``: the work of a forked runner, its exit code."""


@dataclass
class ForkedProcess:
    """A process of a bot, until it is reaped; :class:`BotProcess` has the facts about it."""

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
                continue  # a strategy wrote to this pipe; the time limits take care of missing reports
        if snapshot is not None:
            self.counted = totals.take(self.counted, snapshot.counts)
        return snapshot

    def has_news(self, snapshot: Snapshot) -> bool:
        """True when the process has put rows in its outbox since the last call."""
        before, self.reported = self.reported, snapshot.reported
        return before != self.reported


@dataclass
class Fleet:
    """The bots, which are changed by facts alone (class Bots), and what belongs to all of them."""

    service: ServiceMode = ServiceMode.RUNNING
    """The activity of the service as a whole."""
    bots: dict[str, Bot] = field(default_factory=dict)
    processes: dict[int, ForkedProcess] = field(default_factory=dict)
    """The processes of bots that are not reaped yet, by pid."""
    queue: deque[str] = field(default_factory=deque)
    """Bots for which a process is to be forked, in this order."""
    news: set[str] = field(default_factory=set)
    """Bots in whose ledgers there may be new rows to report."""
    reports: ReportPipes = field(default_factory=ReportPipes)
    recent: Recent = field(default_factory=Recent)
    totals: Totals = field(default_factory=Totals)
