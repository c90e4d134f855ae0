"""The record beside a time in a ledger or journal: the same moment by a clock that cannot be set.

The times themselves stay where they are, for people and for older services. A time without such a
row, or one that was changed without it, is a wall time only.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime

from execsvc.clock import Moment, iso, moment_of
from execsvc.model.bot import Binding
from execsvc.store.sqlite import rows
from execsvc.store.sqlite.database import has_table, query

SCHEMA = "moments.sql"
_KEPT = 3600.0
"""Seconds for which the moments of a bot's orders are of use."""


def keep(tx: sqlite3.Connection, what: str, at: datetime | None) -> None:
    """Record, within a transaction, the moment ``at`` of ``what``, which was just read; None: drop it.

    Nothing is recorded where the table could not be added to the file: then there is wall time only.
    """
    if not has_table(tx, "moment"):
        return
    if at is None:
        tx.execute("DELETE FROM moment WHERE what=?", (what,))
        return
    store(tx, what, moment_of(at))


def store(tx: sqlite3.Connection, what: str, moment: Moment) -> None:
    """Record, within a transaction, the moment of ``what``, which is known by both clocks."""
    if has_table(tx, "moment"):
        tx.execute(
            "INSERT OR REPLACE INTO moment VALUES (?,?,?,?)",
            (what, iso(moment.at), moment.boottime, moment.boot_id),
        )


def of(connection: sqlite3.Connection, what: str, at: datetime) -> Moment:
    """The moment of ``what``, whose record has the time ``at``. Raises LedgerFailed."""
    if has_table(connection, "moment"):
        found = query(
            connection,
            "SELECT boottime, boot_id FROM moment WHERE what=? AND at=?",
            (what, iso(at)),
        )
        if found:
            return Moment(at, float(found[0]["boottime"]), found[0]["boot_id"])
    return Moment(at)


def kept(connection: sqlite3.Connection, what: str) -> Moment | None:
    """The moment of ``what``, which has no other record; None when none is kept. Raises LedgerFailed."""
    if not has_table(connection, "moment"):
        return None
    found = query(connection, "SELECT at, boottime, boot_id FROM moment WHERE what=?", (what,))
    at = rows.time(found[0]["at"]) if found else None
    return None if at is None else Moment(at, float(found[0]["boottime"]), found[0]["boot_id"])


def forget_old_orders(tx: sqlite3.Connection, here: Moment) -> None:
    """Drop, within a transaction, the moments of orders that are too old to count."""
    if has_table(tx, "moment"):
        tx.execute(
            "DELETE FROM moment WHERE what LIKE 'order %' AND (boot_id<>? OR boottime<?)",
            (here.boot_id, here.boottime - _KEPT),
        )


def place(what: str, binding: Binding) -> str:
    """The name of ``what`` at one of the bot's positions."""
    return f"{what} {binding.mode.value} {binding.key_id} {binding.symbol}"
