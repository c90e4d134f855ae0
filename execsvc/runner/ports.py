"""Interfaces of the environment of a control loop: that of a process, or of a replay."""

from __future__ import annotations

from typing import Protocol

from execsvc.events import EventName
from execsvc.execution import ports
from execsvc.runner.counts import Counts
from execsvc.runner.report import Snapshot
from execsvc.runner.waits import StopOrder


class LoopRecord(ports.RecordPort, Protocol):
    """The execution log of the bot. None of its methods raises."""

    def traceback(self, event: EventName, text: str, error: BaseException) -> None:
        """Write one line at ERROR, with the traceback of ``error``."""
        ...


class LoopReporter(ports.ReporterPort, Protocol):
    """The state of the bot, as it is reported to the supervisor."""

    @property
    def counts(self) -> Counts:
        """The counters of the process."""
        ...

    @property
    def snapshot(self) -> Snapshot:
        """The latest state."""
        ...

    def ticked(self, began: float, unread: bool) -> None:
        """Record the end of a tick that began at ``began`` [monotonic s]; ``unread``: for a read
        that failed.
        """
        ...

    def checked(self, judged: bool) -> None:
        """Record a check of the stop loss; ``judged``: it is known whether something is to be sold."""
        ...


class LoopWaits(ports.WaitsPort, Protocol):
    """Waits that a stop can cut short."""

    @property
    def stop(self) -> StopOrder | None:
        """The stop that was asked for."""
        ...

    def hold_asked_within(self, seconds: float) -> bool:
        """True when this stop turns out to be one that holds, within ``seconds``."""
        ...
