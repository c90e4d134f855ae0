"""Whether BotService may be asked which orders of ours it knows."""

from __future__ import annotations

from execsvc.errors import LedgerFailed
from execsvc.settings import Settings, Switch
from execsvc.store.service_store import ServiceStore

_PATIENCE = 1.0
"""Seconds that a locked record is waited for: a bot's first order waits with it."""


def keeps_orders(settings: Settings, store: ServiceStore) -> bool:
    """True when BotService may be asked which orders of ours it knows."""
    if settings.report_ledger is not Switch.AUTO:
        return settings.report_ledger is Switch.ON
    try:
        return store.takes_reports(_PATIENCE) is True
    except LedgerFailed:
        return True  # one question too many, where one too few may cost money
