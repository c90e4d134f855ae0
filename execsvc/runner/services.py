"""What each part of a bot's process works with, as one value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from execsvc.ledger.bot_ledger import BotLedger
from execsvc.runner.record import Record
from execsvc.runner.reporter import Reporter
from execsvc.runner.waits import Waits


class ExecutionSettings(NamedTuple):
    """The settings that the way of an order goes by, with their defaults. Times in seconds."""

    order_timeout: float = 30.0
    settlement_window: float = 10.0
    gone_after: float = 600.0
    liquidation_attempts: int = 5
    liquidation_backoff: float = 1.0


DEFAULTS = ExecutionSettings()


@dataclass(frozen=True)
class BotServices:
    """The bot's ledger, its record and reports, its waits, and the settings of its orders."""

    bot_id: str
    ledger: BotLedger
    record: Record
    reporter: Reporter
    waits: Waits
    settings: ExecutionSettings = DEFAULTS
