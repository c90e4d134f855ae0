"""The answers of exchanges to the amounts of a bot's orders, by account and symbol, oldest first."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from execsvc.clock import iso
from execsvc.errors import LedgerFailed
from execsvc.model.order import Side
from execsvc.model.refusal import Refusal, SizeAnswer
from execsvc.store.sqlite import rows
from execsvc.store.sqlite.database import has_table, query, transaction


def read(connection: sqlite3.Connection, key_id: str, symbol: str) -> list[SizeAnswer]:
    """Every answer that is kept. Raises LedgerFailed."""
    found = query(
        connection,
        "SELECT * FROM size_answer WHERE key_id=? AND symbol=? ORDER BY rowid",
        (key_id, symbol),
    )
    return [_answer(row) for row in found]


def add(
    connection: sqlite3.Connection,
    key_id: str,
    symbol: str,
    answer: SizeAnswer,
    kept_from: datetime,
) -> None:
    """Record one answer, once, and drop those from before ``kept_from``. Raises LedgerFailed.

    An earlier answer of the same meaning to the same amount is replaced.
    """
    refusal = None if answer.refusal is None else answer.refusal.value
    amount, market = rows.text(answer.amount), (key_id, symbol)
    with transaction(connection, durable=False) as tx:
        tx.execute("DELETE FROM size_answer WHERE at < ?", (iso(kept_from),))
        tx.execute(
            "DELETE FROM size_answer WHERE key_id=? AND symbol=? AND side=? AND amount=? "
            "AND refusal IS ? AND refusal IS NOT ?",
            (*market, answer.side.value, amount, refusal, Refusal.BALANCE.value),
        )
        tx.execute(
            "INSERT OR IGNORE INTO size_answer VALUES (?,?,?,?,?,?,?,?)",
            (
                answer.client_order_id,
                *market,
                answer.side.value,
                amount,
                rows.text(answer.price),
                refusal,
                iso(answer.at),
            ),
        )


def forget(connection: sqlite3.Connection) -> None:
    """Drop every answer, and count unfilled entries from here on. Raises LedgerFailed."""
    if not has_table(connection, "released"):
        return
    with transaction(connection) as tx:
        tx.execute("DELETE FROM size_answer")
        tx.execute("INSERT OR REPLACE INTO released SELECT 1, coalesce(max(rowid), 0) FROM orders")


def _answer(row: sqlite3.Row) -> SizeAnswer:
    at = rows.time(row["at"])
    if at is None:
        raise LedgerFailed("a time in the ledger is missing")
    try:
        side, refusal = Side(row["side"]), row["refusal"] and Refusal(row["refusal"])
    except ValueError as error:
        raise LedgerFailed(f"an answer in the ledger is unreadable: {error}") from error
    return SizeAnswer(
        row["client_order_id"],
        side,
        rows.amount(row["amount"]),
        rows.decimal(row["price"]),
        refusal,
        at,
    )
