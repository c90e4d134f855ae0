"""One process of a bot, from its fork to its last report, and the time limits for it. Pure."""

from __future__ import annotations

import math
from datetime import datetime
from enum import Enum
from typing import NamedTuple

from execsvc.model.bot import BotSpec
from execsvc.runner.job import Task
from execsvc.runner.report import Snapshot
from execsvc.settings import Settings

ON_STOP_SHARE = 4
"""The hook ``on_stop`` gets this part of STOP_TIMEOUT."""


class StopMode(Enum):
    """The way in which a process of a bot was asked to end."""

    STOP = "stop and liquidate"
    KEEP = "end and keep the position"


class BotProcess(NamedTuple):
    """A process of a bot. Moments are seconds of the loop's own clock."""

    pid: int
    task: Task
    spec: BotSpec | None
    began: float
    started_at: datetime
    reported_at: float
    """The time of its latest report, or of its start."""
    snapshot: Snapshot = Snapshot()
    stop_mode: StopMode | None = None
    killed_for: str | None = None
    stop_since: float | None = None
    on_stop_since: float | None = None
    ends_by: float = math.inf
    """The time at which the process is killed because the position that it closes is given up."""
    turn_wait_at_stop: float = 0.0
    turn_wait_at_hook: float = 0.0

    def with_report(self, snapshot: Snapshot, now: float) -> BotProcess:
        """The process after its report ``snapshot``."""
        stop_since, at_stop = self.stop_since, self.turn_wait_at_stop
        if snapshot.phase == "STOPPING" and stop_since is None:
            stop_since, at_stop = now, snapshot.turn_wait
        on_stop_since, at_hook = self.on_stop_since, self.turn_wait_at_hook
        if not snapshot.on_stop:
            on_stop_since = None
        elif on_stop_since is None:
            on_stop_since, at_hook = now, snapshot.turn_wait
        return self._replace(
            reported_at=now,
            snapshot=snapshot,
            stop_since=stop_since,
            turn_wait_at_stop=at_stop,
            on_stop_since=on_stop_since,
            turn_wait_at_hook=at_hook,
        )

    def asked_to_stop(self, mode: StopMode, now: float) -> BotProcess:
        """The process after the supervisor has sent it a signal to end."""
        if self.stop_since is not None:
            return self._replace(stop_mode=mode)
        waited = self.snapshot.turn_wait
        return self._replace(stop_mode=mode, stop_since=now, turn_wait_at_stop=waited)

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
        silence = self.began if self.task is Task.CHECK else self.reported_at
        limits = [
            (
                silence + settings.hang_timeout,
                f"no heartbeat for {settings.hang_timeout:g} s",
            )
        ]
        limits.append((self.ends_by, "its position is given up"))
        waited = self.snapshot.turn_wait
        if self.on_stop_since is not None:
            allowed = settings.stop_timeout / ON_STOP_SHARE
            until = self.on_stop_since + allowed + waited - self.turn_wait_at_hook
            limits.append((until, f"on_stop took longer than {allowed:g} s"))
        if self.stop_since is not None:
            # For a LIQUIDATE process the time begins when it owns the ledger; until then it may have to
            # wait for the runner of a dead supervisor, which it kills after STOP_TIMEOUT.
            allowed = settings.stop_timeout
            until = self.stop_since + allowed + waited - self.turn_wait_at_stop
            limits.append((until, f"did not stop within {allowed:g} s"))
        return limits
