"""The ledger, record, reporter and waits of a bot's process, as one value."""

from __future__ import annotations

from dataclasses import dataclass

from execsvc.execution.ports import DEFAULTS, ExecutionSettings
from execsvc.runner.record import Record
from execsvc.runner.reporter import Reporter
from execsvc.runner.waits import Waits
from execsvc.store.bot_store import BotStore


@dataclass(frozen=True)
class BotServices:
    """The bot's ledger, its record and reports, its waits, and the settings of its orders."""

    bot_id: str
    ledger: BotStore
    record: Record
    reporter: Reporter
    waits: Waits
    settings: ExecutionSettings = DEFAULTS
