"""The decision of an operator that missing coins of a bot are gone, in the journal until carried out."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from execsvc.clock import iso
from execsvc.store.sqlite.database import query, transaction


def ask(connection: sqlite3.Connection, bot_id: str, at: datetime) -> None:
    """Record that by an operator missing coins of ``bot_id`` are gone. Raises LedgerFailed."""
    with transaction(connection) as tx:
        tx.execute("INSERT OR REPLACE INTO release VALUES (?,?)", (bot_id, iso(at)))


def is_asked(connection: sqlite3.Connection, bot_id: str) -> bool:
    """True while a release of ``bot_id`` waits to be carried out. Raises LedgerFailed."""
    return bool(query(connection, "SELECT 1 FROM release WHERE bot_id=?", (bot_id,)))


def forget(connection: sqlite3.Connection, bot_id: str) -> None:
    """Record that a release of ``bot_id`` was carried out. Raises LedgerFailed."""
    with transaction(connection) as tx:
        tx.execute("DELETE FROM release WHERE bot_id=?", (bot_id,))
