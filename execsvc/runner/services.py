"""The ledger, record, reporter and waits of a bot, as one value: of its process, or of a replay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from execsvc.events import EventName
from execsvc.execution import ports
from execsvc.execution.ports import DEFAULTS, ExecutionSettings
from execsvc.runner.counts import Counts
from execsvc.runner.record import Record
from execsvc.runner.report import Snapshot
from execsvc.runner.reporter import Reporter
from execsvc.runner.waits import StopOrder, Waits
from execsvc.settings import Settings
from execsvc.store.bot_store import BotStore


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


RecordT_co = TypeVar("RecordT_co", bound=LoopRecord, covariant=True)
ReporterT_co = TypeVar("ReporterT_co", bound=LoopReporter, covariant=True)
WaitsT_co = TypeVar("WaitsT_co", bound=LoopWaits, covariant=True)


@dataclass(frozen=True)
class BotServices(Generic[RecordT_co, ReporterT_co, WaitsT_co]):
    """The bot's ledger, its record and reports, its waits, and the settings of its orders."""

    bot_id: str
    ledger: BotStore
    record: RecordT_co
    reporter: ReporterT_co
    waits: WaitsT_co
    settings: ExecutionSettings = DEFAULTS


RunnerServices = BotServices[LoopRecord, LoopReporter, LoopWaits]
"""Services of a control loop, wherever it runs."""
ProcessServices = BotServices[Record, Reporter, Waits]
"""Services of a bot's process."""


def process_services(
    ledger: BotStore, settings: Settings, reporter: Reporter, waits: Waits
) -> ProcessServices:
    """The services of the process that runs the bot of ``ledger``."""
    return BotServices(
        ledger.bot_id,
        ledger,
        Record(ledger.bot_id, ledger),
        reporter,
        waits,
        ExecutionSettings(
            settings.order_timeout,
            settings.settlement_window,
            settings.gone_after,
            settings.liquidation_attempts,
            settings.liquidation_backoff,
        ),
    )
