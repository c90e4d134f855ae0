"""One process of a bot, from its fork to its last line, and the time limits for it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from execsvc.clock import now as utc_now
from execsvc.model.bot import BotSpec
from execsvc.runner.counts import NOTHING
from execsvc.runner.job import Task
from execsvc.runner.report import Snapshot, decode
from execsvc.settings import Settings
from execsvc.supervisor.bots.totals import Totals
from execsvc.supervisor.processes.child import Child
from execsvc.workers.lines import Lines

ON_STOP_SHARE = 4
"""The hook ``on_stop`` gets this part of STOP_TIMEOUT."""


class StopMode(Enum):
    """The way in which a process of a bot was told to end."""

    STOP = "stop and liquidate"
    HOLD = "end and hold"


@dataclass
class Run:
    """A process of a bot. Moments are seconds of the loop's own clock."""

    child: Child
    task: Task
    spec: BotSpec | None
    lines: Lines
    began: float
    started_at: datetime = field(default_factory=utc_now)
    snapshot: Snapshot = field(default_factory=Snapshot)
    told: StopMode | None = None
    killed_for: str | None = None
    totals: Totals = field(default_factory=Totals)
    """The sums to which the counts of the process are added."""
    heard_at: float = field(init=False)
    stop_since: float | None = None
    on_stop_since: float | None = None
    ends_by: float = math.inf
    """The time at which the process is killed because the position that it closes is given up."""
    reported: int = 0
    """Rows that it had put in its outbox, at the last call of :meth:`has_news`."""
    _turn_wait_at_stop: float = 0.0
    _turn_wait_at_hook: float = 0.0
    _counted: tuple[int, ...] = NOTHING

    def __post_init__(self) -> None:
        self.heard_at = self.began

    def listen(self, now: float) -> bool:
        """Take the reports that wait in the pipe; True when there were any."""
        heard = False
        for line in self.lines.read():
            try:
                self.snapshot = decode(line)
            except ValueError:
                continue  # a strategy wrote to this pipe; missing reports are judged elsewhere
            heard = True
        if heard:
            self.heard_at = now
            self._counted = self.totals.take(self._counted, self.snapshot.counts)
            self._note_stop(now)
        return heard

    def has_news(self) -> bool:
        """True when the process has put rows in its outbox since the last call."""
        before, self.reported = self.reported, self.snapshot.reported
        return before != self.reported

    def asked_to_stop(self, told: StopMode, now: float) -> None:
        """Note that the supervisor sends the process a signal to end now."""
        self.told = told
        if self.stop_since is None:
            self._stop_begins(now)

    def overdue(self, now: float, settings: Settings) -> str | None:
        """The reason why the process is to be killed; None when it is not."""
        if self.killed_for is not None:
            return None
        return next((why for when, why in self._limits(settings) if when <= now), None)

    def deadline(self, settings: Settings) -> float:
        """The time of the next call of :meth:`overdue`; infinity once the process was killed."""
        if self.killed_for is not None:
            return math.inf
        return min(when for when, _ in self._limits(settings))

    def _limits(self, settings: Settings) -> list[tuple[float, str]]:
        silence = self.began if self.task is Task.CHECK else self.heard_at
        limits = [
            (
                silence + settings.hang_timeout,
                f"no sign of life for {settings.hang_timeout:g} s",
            )
        ]
        limits.append((self.ends_by, "its position is given up"))
        waited = self.snapshot.turn_wait
        if self.on_stop_since is not None:
            allowed = settings.stop_timeout / ON_STOP_SHARE
            until = self.on_stop_since + allowed + waited - self._turn_wait_at_hook
            limits.append((until, f"on_stop took longer than {allowed:g} s"))
        if self.stop_since is not None:
            # For a LIQUIDATE process the time begins when it owns the ledger; until then it may have to
            # wait for the runner of a dead supervisor, which it kills after STOP_TIMEOUT.
            allowed = settings.stop_timeout
            until = self.stop_since + allowed + waited - self._turn_wait_at_stop
            limits.append((until, f"did not stop within {allowed:g} s"))
        return limits

    def _note_stop(self, now: float) -> None:
        if self.snapshot.phase == "STOPPING" and self.stop_since is None:
            self._stop_begins(now)
        if not self.snapshot.on_stop:
            self.on_stop_since = None
        elif self.on_stop_since is None:
            self.on_stop_since = now
            self._turn_wait_at_hook = self.snapshot.turn_wait

    def _stop_begins(self, now: float) -> None:
        self.stop_since = now
        self._turn_wait_at_stop = self.snapshot.turn_wait
