"""The assignment of the rows of a bot's outbox to the starts of its process.

Each process that trades writes one mark, before its first order: the position that the outbox has
reached. A row after the mark and before the next one was written by that process, or is about an
order that it found. Mark and rows are in one file with one writer, in one order: neither a clock, nor
a crash in between, nor the reporting process can move a row over a mark. The mark is on the disk
before the first order is sent; rows that a power loss takes are written again after the mark.
"""

from __future__ import annotations

import uuid
from functools import cache
from importlib import resources
from pathlib import Path

from execsvc.model.order_report import ReportKind
from execsvc.store.outbox import BEFORE_MARKS, Start
from execsvc.store.sqlite.bot.bot_tables import BotTables
from execsvc.store.sqlite.database import has_table, query, reading, transaction


def note_start(ledger: BotTables, *, booting: bool) -> None:
    """Write down that a new process of the bot begins to trade. Raises LedgerFailed."""
    if not ledger.reports:
        return
    with transaction(ledger.connection) as tx:
        tx.execute(_table())
        place = 0
        if has_table(tx, "sqlite_sequence"):
            found = tx.execute("SELECT seq FROM sqlite_sequence WHERE name='outbox'").fetchone()
            place = 0 if found is None else found[0]
        tx.execute(
            "INSERT INTO starts (id, place, booting) VALUES (?,?,?)",
            (uuid.uuid4().hex, place, int(booting)),
        )


def starts_since(path: Path, order_id: str) -> list[Start]:
    """The start that the order belongs to and all later ones, the oldest first.

    An order from before the first mark belongs to BEFORE_MARKS. Raises LedgerFailed.
    """
    with reading(path) as connection:
        if not has_table(connection, "starts"):
            return [BEFORE_MARKS]
        own = query(
            connection,
            "SELECT max(s.seq) AS seq FROM starts s "
            "JOIN outbox o ON o.order_id=? AND o.kind=? WHERE s.place < o.seq",
            (order_id, ReportKind.ORDER.value),
        )[0]["seq"]
        sql = "SELECT * FROM starts WHERE seq >= ? ORDER BY seq"
        found = query(connection, sql, (own or 0,))
    starts = [Start(row["id"], bool(row["booting"])) for row in found]
    return starts if own is not None else [BEFORE_MARKS, *starts]


def starts_before(path: Path, start: Start) -> list[Start]:
    """The starts ahead of ``start``, the newest first. Raises LedgerFailed."""
    with reading(path) as connection:
        if not has_table(connection, "starts"):
            return []
        sql = (
            "SELECT * FROM starts WHERE seq < (SELECT seq FROM starts WHERE id=?) ORDER BY seq DESC"
        )
        found = query(connection, sql, (start.start_id,))
    return [Start(row["id"], bool(row["booting"])) for row in found]


def newest_start(path: Path) -> Start | None:
    """The latest start; None when none was written down. Raises LedgerFailed."""
    if not path.exists():
        return None
    with reading(path) as connection:
        if not has_table(connection, "starts"):
            return None
        found = query(connection, "SELECT * FROM starts ORDER BY seq DESC LIMIT 1")
    return Start(found[0]["id"], bool(found[0]["booting"])) if found else None


@cache
def _table() -> str:
    return resources.files(__package__).joinpath("starts.sql").read_text()
