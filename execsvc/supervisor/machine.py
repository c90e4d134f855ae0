"""The machine of the state directory, checked before any bot starts."""

from __future__ import annotations

from loguru import logger

from execsvc.errors import LedgerFailed
from execsvc.store.doubt import MOVED
from execsvc.store.service_store import ServiceStore


def check_machine(store: ServiceStore) -> None:
    """Contest the open positions in a state directory from another machine, and log that."""
    try:
        contested = store.contest_if_moved()
    except LedgerFailed as error:
        logger.bind(event="ledger_failed").critical(
            "the machine of the state directory cannot be checked and recorded: {}", error
        )
        return
    if contested is not None:
        positions = ", ".join(f"{doubt.bot_id} ({doubt.symbol})" for doubt in contested)
        logger.bind(event="state_moved").warning(
            "{}; contested until an operator releases them: {}", MOVED, positions or "no position"
        )
