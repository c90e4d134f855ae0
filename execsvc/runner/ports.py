"""What a bot's control loop takes of its surroundings: a process, or a replay."""

from __future__ import annotations

from typing import Protocol

from execsvc.events import EventName
from execsvc.execution import ports
from execsvc.runner.counts import Counts
from execsvc.runner.report import Snapshot
from execsvc.runner.waits import StopOrder


class Record(ports.Record, Protocol):
    """The execution log of the bot. Nothing of it raises."""

    def traceback(self, event: EventName, text: str, error: BaseException) -> None:
        """One line at ERROR, with the traceback of ``error``."""
        ...


class Reporter(ports.Reporter, Protocol):
    """What is known of the bot outside its process."""

    @property
    def counts(self) -> Counts:
        """What the process has counted."""
        ...

    @property
    def snapshot(self) -> Snapshot:
        """All that is known."""
        ...

    def ticked(self, began: float, unread: bool) -> None:
        """A tick ended that began at ``began`` [monotonic s]; ``unread``: for a read that failed."""
        ...


class Waits(ports.Waits, Protocol):
    """Waits that a stop can cut short."""

    @property
    def stop(self) -> StopOrder | None:
        """The stop that was asked for."""
        ...

    def hold_asked_within(self, seconds: float) -> bool:
        """True when this stop turns out to be one that holds, within ``seconds``."""
        ...


class RunnerServices(ports.BotServices, Protocol):
    """What a bot's control loop works with."""

    @property
    def record(self) -> Record:
        """The bot's execution log."""
        ...

    @property
    def reporter(self) -> Reporter:
        """What is told of it."""
        ...

    @property
    def waits(self) -> Waits:
        """Its waits."""
        ...
