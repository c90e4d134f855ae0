"""The decision whether BotService may be asked which orders of this service it knows."""

from __future__ import annotations

from execsvc.errors import LedgerFailed
from execsvc.settings import Settings, Switch
from execsvc.store.service_store import ServiceStore

_TIMEOUT = 1.0
"""Seconds of the wait for a locked record; the first order of a bot waits as long."""


def keeps_orders(settings: Settings, store: ServiceStore) -> bool:
    """True when BotService may be asked which orders of this service it knows."""
    if settings.report_ledger is not Switch.AUTO:
        return settings.report_ledger is Switch.ON
    try:
        return store.takes_reports(_TIMEOUT) is True
    except LedgerFailed:
        return True  # a needless question is cheaper than a missing one, which may cost money
