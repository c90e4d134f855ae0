"""The progress of the deliveries to BotService from the outboxes of all bots, and the ids it gave."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from pathlib import Path

from execsvc.clock import iso
from execsvc.errors import LedgerBusy, LedgerFailed
from execsvc.model.order_report import ReportKind
from execsvc.store.outbox import Mark
from execsvc.store.sqlite import rows
from execsvc.store.sqlite.database import create, extend, open_writable, query, transaction
from execsvc.store.sqlite.file_lock import FileLock
from execsvc.store.sqlite.lock_wait import SLICE
from execsvc.store.sqlite.report_support import FILE, REFUSED

_OWNER = "reports"
_STARTING = "start "
"""The beginning of the name of the fact that a start was sent; the bot's id follows."""


class DeliveriesFile:
    """A file of its own with one writer, so that each ledger keeps its bot's process as its one writer.

    Every method raises LedgerFailed when the file cannot be read or written.
    """

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / FILE
        self._lock = FileLock(self._path.with_suffix(".lock"))
        self._connection: sqlite3.Connection | None = None

    def open(self) -> None:
        """Take the lock and open the file, which is made when there is none.

        Raises LedgerBusy while the reporting process of a dead supervisor still delivers.
        """
        if not self._lock.try_acquire():
            raise LedgerBusy(f"{self._path.name} is in use", self._lock.holder())
        self._lock.name_holder()
        create(self._path, "service/deliveries.sql", "INSERT INTO owner VALUES (1, ?)", (_OWNER,))
        self._connection = open_writable(self._path, "SELECT name FROM owner", _OWNER)
        extend(self._connection, "service/report_facts.sql")

    def close(self) -> None:
        """Close the file and release the lock."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._lock.close()

    def mark(self, name: str) -> Mark | None:
        """The row of the ledger ``name`` that was delivered last; None before the first."""
        found = query(self._open, "SELECT * FROM mark WHERE stem=?", (name,))
        if not found:
            return None
        try:
            return Mark(found[0]["order_id"], ReportKind(found[0]["kind"]))
        except ValueError as error:
            raise LedgerFailed(f"{FILE} is unreadable: {error}") from error

    def given(self, order_id: str) -> str:
        """JSON of the id that BotService gave the order."""
        found = query(self._open, "SELECT id FROM given WHERE order_id=?", (order_id,))
        if not found:
            raise LedgerFailed(f"{FILE} does not know the order {order_id}")
        text: str = found[0]["id"]
        return text

    def last_at(self) -> datetime | None:
        """The time of the last delivery; None before the first."""
        return rows.time(query(self._open, "SELECT max(at) FROM mark")[0][0])

    def delivered(self, name: str, mark: Mark, given: str | None, at: datetime) -> None:
        """Record that a row was delivered, and the id that BotService gave for it.

        Not durable: a delivery whose record a power loss takes is made again.
        """
        with transaction(self._open, durable=False) as tx:
            tx.execute(
                "INSERT OR REPLACE INTO mark VALUES (?,?,?,?)",
                (name, mark.order_id, mark.kind.value, iso(at)),
            )
            if given is not None:
                tx.execute("DELETE FROM asked WHERE order_id=?", (mark.order_id,))
                tx.execute("DELETE FROM fact WHERE name=?", (REFUSED,))
                tx.execute("INSERT OR REPLACE INTO given VALUES (?,?)", (mark.order_id, given))
            elif mark.kind.is_last:
                tx.execute("DELETE FROM given WHERE order_id=?", (mark.order_id,))

    def session(self, name: str, start: str) -> str | None:
        """JSON of the session of a start, null where there is none; None when it is not known."""
        sql = "SELECT id FROM session WHERE stem=? AND start=?"
        found = query(self._open, sql, (name, start))
        return found[0]["id"] if found else None

    def keep_session(self, name: str, start: str, given: str) -> None:
        """Record the session of a start, as JSON."""
        with transaction(self._open) as tx:
            tx.execute("INSERT OR REPLACE INTO session VALUES (?,?,?)", (name, start, given))

    def forget_session(self, name: str, given: str) -> None:
        """Record that BotService does not know a session any more; ``given`` is the JSON as it was kept."""
        with transaction(self._open) as tx:
            tx.execute("DELETE FROM session WHERE stem=? AND id=?", (name, given))

    def give_anew(self, order_id: str, given: str) -> None:
        """Record another id that BotService gave an order after it lost the first one."""
        with transaction(self._open, durable=False) as tx:
            tx.execute("DELETE FROM asked WHERE order_id=?", (order_id,))
            tx.execute("INSERT OR REPLACE INTO given VALUES (?,?)", (order_id, given))

    def has_sessions(self) -> bool:
        """True once BotService has named a session."""
        return bool(query(self._open, "SELECT 1 FROM session WHERE id <> 'null' LIMIT 1"))

    def is_of_use(self) -> bool:
        """True once BotService took a report or named a session."""
        return bool(query(self._open, "SELECT 1 FROM mark LIMIT 1")) or self.has_sessions()

    def ask(self, order_id: str) -> bool:
        """Record that an order is about to be reported to BotService; True when it was recorded before.

        Not durable: after a power loss an order may be reported twice.
        """
        with transaction(self._open, durable=False) as tx:
            sql = "INSERT INTO asked VALUES (?) ON CONFLICT DO NOTHING"
            return tx.execute(sql, (order_id,)).rowcount == 0

    def refused(self, why: str | None) -> None:
        """Record that BotService does not take reports, and its answer; None deletes that record."""
        with transaction(self._open, durable=False) as tx:
            tx.execute("DELETE FROM fact WHERE name=?", (REFUSED,))
            if why is not None:
                tx.execute("INSERT INTO fact VALUES (?,?)", (REFUSED, why))

    def starting(self, bot_id: str, at: datetime) -> None:
        """Record that a start of the bot is about to be reported to BotService, ``at`` that moment.

        Not durable: a machine takes longer to boot than BotService to carry out a start. The wait for
        a lock is SLICE at most, as a user waits for the start.
        """
        with transaction(self._open, durable=False, timeout=SLICE) as tx:
            tx.execute("INSERT OR REPLACE INTO fact VALUES (?,?)", (_STARTING + bot_id, iso(at)))

    def start_answered(self, bot_id: str) -> None:
        """Record that BotService has carried out that start, or never will."""
        with transaction(self._open, durable=False, timeout=SLICE) as tx:
            tx.execute("DELETE FROM fact WHERE name=?", (_STARTING + bot_id,))

    def unanswered_starts(self) -> dict[str, datetime]:
        """The times at which starts without an answer were sent, by bot."""
        found = query(self._open, "SELECT * FROM fact WHERE name LIKE ?", (f"{_STARTING}%",))
        sent = {row["name"][len(_STARTING) :]: rows.time(row["value"]) for row in found}
        return {bot_id: at for bot_id, at in sent.items() if at is not None}

    @property
    def _open(self) -> sqlite3.Connection:
        assert self._connection is not None, "it is not open"
        return self._connection
