"""The amounts of an account that were locked, in orders of the user, when a bot's order was sent.

The table is part of the account's journal. The balance expected after a fill counts free amounts, as an
order's baseline does; a comparison with free and locked amounts together needs the amounts that were
locked then. Nothing else depends on them, so an order is recorded also where they cannot be.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from decimal import Decimal

from loguru import logger

from execsvc.errors import LedgerFailed, LedgerUnavailable
from execsvc.model.market import plain
from execsvc.store.sqlite import rows
from execsvc.store.sqlite.database import apart, has_table, query

SCHEMA = "account/locked.sql"


def keep(tx: sqlite3.Connection, client_order_id: str, locked: Mapping[str, Decimal]) -> None:
    """Record, within the transaction of an intent, the locked amount of each asset."""
    try:
        with apart(tx):
            for asset, amount in locked.items():
                tx.execute(
                    "INSERT OR REPLACE INTO locked VALUES (?,?,?)",
                    (asset, client_order_id, plain(amount)),
                )
    except LedgerUnavailable:
        raise
    except LedgerFailed as fault:
        _log_fault(client_order_id, fault)


def settle(tx: sqlite3.Connection, client_order_id: str, filled: Iterable[str]) -> None:
    """Keep, for each asset that an order has ``filled``, the amount locked when that order was sent.

    With no asset in ``filled`` the order was not executed, and its locked amounts mean nothing.
    """
    assets = list(filled)
    try:
        with apart(tx):
            for asset in assets:
                tx.execute(
                    "DELETE FROM locked WHERE asset=? AND client_order_id<>?",
                    (asset, client_order_id),
                )
            if not assets:
                tx.execute("DELETE FROM locked WHERE client_order_id=?", (client_order_id,))
    except LedgerUnavailable:
        raise
    except LedgerFailed as fault:
        _log_fault(client_order_id, fault)


def amounts(connection: sqlite3.Connection) -> dict[str, Decimal]:
    """The locked amounts by asset, as far as they are known. Raises LedgerFailed."""
    if not has_table(connection, "locked"):
        return {}
    found = query(connection, "SELECT asset, amount FROM locked ORDER BY rowid")
    return {row["asset"]: rows.amount(row["amount"]) for row in found}


def _log_fault(client_order_id: str, fault: LedgerFailed) -> None:
    event = logger.bind(event="ledger_failed", order_id=client_order_id)
    event.error("an order is recorded without the amounts locked at that time: {}", fault)
