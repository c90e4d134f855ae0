"""The ledger, record, reporter and waits of a bot, as one value: of its process, or of a replay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from execsvc.execution.ports import DEFAULTS, ExecutionSettings
from execsvc.runner import ports
from execsvc.runner.record import Record
from execsvc.runner.reporter import Reporter
from execsvc.runner.waits import Waits
from execsvc.settings import Settings
from execsvc.store.bot_store import BotStore

RecordT_co = TypeVar("RecordT_co", bound=ports.LoopRecord, covariant=True)
ReporterT_co = TypeVar("ReporterT_co", bound=ports.LoopReporter, covariant=True)
WaitsT_co = TypeVar("WaitsT_co", bound=ports.LoopWaits, covariant=True)


@dataclass(frozen=True)
class BotServices(Generic[RecordT_co, ReporterT_co, WaitsT_co]):
    """The bot's ledger, its record and reports, its waits, and the settings of its orders."""

    bot_id: str
    ledger: BotStore
    record: RecordT_co
    reporter: ReporterT_co
    waits: WaitsT_co
    settings: ExecutionSettings = DEFAULTS


RunnerServices = BotServices[ports.LoopRecord, ports.LoopReporter, ports.LoopWaits]
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
