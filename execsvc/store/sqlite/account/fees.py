"""Fees that an account's orders paid in a third coin, which may be the base of another bot.

The table is part of the account's journal, written with the outcome of the order. Nothing else depends
on it, so an outcome is recorded also where the fees cannot be.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime
from decimal import Decimal

from loguru import logger

from execsvc.clock import iso
from execsvc.errors import LedgerFailed, LedgerUnavailable
from execsvc.model.market import ZERO, exact_sum, plain
from execsvc.model.order import Fill
from execsvc.store.sqlite import rows
from execsvc.store.sqlite.database import apart, has_table, query

SCHEMA = "account/fees.sql"


def keep(tx: sqlite3.Connection, client_order_id: str, fill: Fill, at: datetime) -> None:
    """Record, within the transaction of an outcome, the fees that ``fill`` paid in third coins.

    A balance of such a coin may be lower by the fee than the balance that its own last fill left.
    """
    try:
        with apart(tx):
            for asset, amount in fill.other_fees:
                tx.execute(
                    "INSERT OR REPLACE INTO fee VALUES (?,?,?,?)",
                    (client_order_id, asset.upper(), plain(amount), iso(at)),
                )
                _tolerate(tx, asset.upper(), amount)
    except LedgerUnavailable:
        raise
    except LedgerFailed as fault:
        event = logger.bind(event="ledger_failed", order_id=client_order_id)
        event.error("an order is recorded without its fees: {}", fault)


def paid_in(connection: sqlite3.Connection, asset: str, since: datetime) -> Decimal:
    """Units of ``asset`` that orders on other markets have paid as fees since then.

    Raises LedgerFailed.
    """
    if not has_table(connection, "fee"):
        return ZERO
    found = query(
        connection, "SELECT amount FROM fee WHERE asset=? AND at>=?", (asset.upper(), iso(since))
    )
    return exact_sum(*(rows.amount(row["amount"]) for row in found))


def _tolerate(tx: sqlite3.Connection, asset: str, fee: Decimal) -> None:
    """Let the expected balance of ``asset``, if there is one, differ by ``fee``."""
    found = query(tx, "SELECT asset, tolerance FROM expected WHERE upper(asset)=?", (asset,))
    for row in found:
        tx.execute(
            "UPDATE expected SET tolerance=? WHERE asset=?",
            (plain(exact_sum(rows.amount(row["tolerance"]), fee)), row["asset"]),
        )
