"""The positions of a bot that an operator has given up, as the ledger of the bot keeps them."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from execsvc.clock import iso
from execsvc.model.bot import Mode
from execsvc.model.market import plain
from execsvc.store.abandoned import Abandoned, is_recent
from execsvc.store.sqlite import rows
from execsvc.store.sqlite.database import has_table, query

SCHEMA = "bot/abandoned.sql"


def abandoned_lately(connection: sqlite3.Connection, moment: datetime) -> list[Abandoned]:
    """The positions given up within a day before ``moment``, oldest first. Raises LedgerFailed."""
    if not has_table(connection, "abandoned"):
        return []
    found = [_read(row) for row in query(connection, "SELECT * FROM abandoned ORDER BY rowid")]
    return [one for one in found if is_recent(one, moment)]


def store(tx: sqlite3.Connection, given_up: list[Abandoned]) -> None:
    """Write the positions that were given up, within a transaction."""
    for one in given_up:
        tx.execute(
            "INSERT INTO abandoned VALUES (?,?,?,?,?,?)",
            (
                iso(one.at),
                one.mode.value,
                one.key_id,
                one.symbol,
                plain(one.tracked),
                plain(one.sold_short),
            ),
        )


def _read(row: sqlite3.Row) -> Abandoned:
    at = rows.time(row["at"])
    assert at is not None, "the column is never null"
    return Abandoned(
        at=at,
        mode=Mode(row["mode"]),
        key_id=row["key_id"],
        symbol=row["symbol"],
        tracked=rows.amount(row["tracked"]),
        sold_short=rows.amount(row["sold_short"]),
    )
