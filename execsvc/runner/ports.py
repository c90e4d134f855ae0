"""Interfaces of the surroundings of a control loop: those of a process, or of a replay."""

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
        """A tick ended that began at ``began`` [monotonic s]; ``unread``: for a read that failed."""
        ...

    def looked(self, judged: bool) -> None:
        """The stop loss was looked at; ``judged``: it is known whether something is to be sold."""
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
    """The ledger, record, reporter and waits of a control loop."""

    @property
    def record(self) -> Record:
        """The bot's execution log."""
        ...

    @property
    def reporter(self) -> Reporter:
        """Its reporter."""
        ...

    @property
    def waits(self) -> Waits:
        """Its waits."""
        ...
