"""The guards that keep a bot from entering now, and the entries by which they judge."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta

from execsvc.clock import iso, now, seconds_since
from execsvc.errors import LedgerFailed
from execsvc.model.bot import Binding
from execsvc.model.order import Side
from execsvc.store.sqlite import moments, rows
from execsvc.store.sqlite.database import newest_first, query, transaction
from execsvc.store.tripped import Tripped


def tripped(connection: sqlite3.Connection) -> list[Tripped]:
    """The guards that are tripped. Raises LedgerFailed."""
    found = query(connection, "SELECT guard, bound, since, detail FROM guard ORDER BY since")
    return [
        Tripped(row["guard"], row["bound"], _moment(row["since"]), row["detail"]) for row in found
    ]


def keep(connection: sqlite3.Connection, guard: Tripped) -> None:
    """Record that a guard is tripped. Raises LedgerFailed."""
    with transaction(connection, durable=False) as tx:
        tx.execute(
            "INSERT OR REPLACE INTO guard VALUES (?,?,?,?)",
            (guard.guard, guard.bound, iso(guard.since), guard.detail),
        )


def drop(connection: sqlite3.Connection, guard: str) -> None:
    """Record that a guard is not tripped any more. Raises LedgerFailed."""
    with transaction(connection, durable=False) as tx:
        tx.execute("DELETE FROM guard WHERE guard=?", (guard,))


def entries(connection: sqlite3.Connection, binding: Binding, span: timedelta) -> list[datetime]:
    """The times of the entries in ``binding``'s mode that are less than ``span`` old.

    Refused ones count as well. A time in the future of which only the wall time is known, after the
    clock was set back, counts as a time as far in the past. Raises LedgerFailed.
    """
    orders = newest_first(
        connection,
        "SELECT client_order_id, created_at, side, short FROM orders WHERE mode=? "
        "ORDER BY rowid DESC",
        (binding.mode.value,),
    )
    sent = []
    for row in orders:
        created_at = _moment(row["created_at"])
        created = moments.of(connection, f"order sent {row['client_order_id']}", created_at)
        ahead = timedelta(0) if created.boot_id else created_at - now()
        if seconds_since(created) >= span.total_seconds():
            break
        opens = (row["side"] == Side.BUY.value) is not bool(row["short"])
        if opens and ahead < span:
            sent.append(created_at)
    return sent


def _moment(text: str) -> datetime:
    moment = rows.time(text)
    if moment is None:
        raise LedgerFailed("a time in the ledger is missing")
    return moment
