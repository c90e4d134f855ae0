"""The records of a service that ran on one host alone, read from its state directory for PostgreSQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

from execsvc.errors import ConfigRefused, LedgerFailed
from execsvc.model.order_report import ReportKind
from execsvc.store.halted import Halted
from execsvc.store.postgresql.remote import Kind, Row, RowImage
from execsvc.store.replicated import capture
from execsvc.store.replicated.copies import Copy, copy_of_account, copy_of_bot
from execsvc.store.replicated.shared_deliveries import DeliveryRecord
from execsvc.store.sqlite import machine
from execsvc.store.sqlite.bot import reentry
from execsvc.store.sqlite.database import has_table, query, reading, script
from execsvc.store.sqlite.file_lock import SUPERVISOR_LOCK, FileLock
from execsvc.store.sqlite.paths import file_stem, journals, ledger_path, ledgers
from execsvc.store.sqlite.report_support import FILE as REPORTS
from execsvc.store.sqlite.service.halt import HaltFile
from execsvc.store.sqlite.service.held import HeldBotsFile
from execsvc.store.sqlite.store import SqliteStore

NO_HOST = ""
"""The host of a record that was taken over: none has this name."""


class OldRecords(NamedTuple):
    """All rows of one bot or one account."""

    kind: Kind
    owner: str
    images: tuple[RowImage, ...]

    def tables(self) -> dict[str, list[Row]]:
        """The rows by table, each list by rowid, as the shared records are read."""
        found: dict[str, list[Row]] = {}
        for image in self.images:
            assert image.row is not None
            found.setdefault(image.table, []).append(image.row)
        return found


class OldState:
    """A state directory that no process uses: every file of it can be read."""

    def __init__(self, state_dir: Path, runtime_dir: Path) -> None:
        self.state_dir = state_dir
        self._store = SqliteStore(state_dir, runtime_dir)

    def refuse_damage(self) -> None:
        """Raise LedgerFailed that names the records which cannot be read, if there are any."""
        _, faults = self._store.survey()
        faults |= self._store.check(faults)
        for file in (
            *self.state_dir.glob("bots/*.db-wal"),
            *self.state_dir.glob("accounts/*.db-wal"),
        ):
            if not file.with_name(file.name.removesuffix("-wal")).exists():
                faults[file.stem] = LedgerFailed(f"{file.name} is there without its file")
        for path in journals(self.state_dir):
            try:
                with reading(path) as connection:
                    key_id = _owner(connection, path, "SELECT key_id FROM account")
                with self._store.reading_account(key_id) as journal:
                    journal.unsettled()
            except LedgerFailed as error:
                faults[path.stem] = error
        for record in (self._store.held(), self._store.halt()):
            if record.damage is not None:
                faults[record.name] = LedgerFailed(f"{record.name} cannot be read: {record.damage}")
        if faults:
            named = "; ".join(f"{name}: {fault}" for name, fault in sorted(faults.items()))
            raise LedgerFailed(f"records of {self.state_dir} cannot be read: {named}")

    def accounts(self) -> Iterator[OldRecords]:
        """The records of each account. Raises LedgerFailed."""
        for path in journals(self.state_dir):
            with reading(path) as connection:
                key_id = _owner(connection, path, "SELECT key_id FROM account")
                copy = copy_of_account(self.state_dir, key_id)
                yield OldRecords("account", key_id, _images(connection, copy))

    def bots(self) -> Iterator[OldRecords]:
        """The records of each bot. Raises LedgerFailed."""
        for path in ledgers(self.state_dir):
            with reading(path) as connection:
                bot_id = _owner(connection, path, "SELECT bot_id FROM bot")
                copy = copy_of_bot(self.state_dir, bot_id)
                yield OldRecords("bot", bot_id, _images(connection, copy))

    def held(self) -> dict[str, bool]:
        """The held bots."""
        return dict(HeldBotsFile(self.state_dir).bots)

    def halted(self) -> Halted | None:
        """The halt in force."""
        return HaltFile(self.state_dir).current

    def may_reenter(self, bot_id: str) -> bool:
        """True while the bot has a mark that lets it enter again."""
        return reentry.is_allowed(ledger_path(self.state_dir, bot_id))

    def delivered(self, orders: dict[str, set[str]]) -> dict[str, DeliveryRecord]:
        """The last delivery of each bot of ``orders``, by file stem. Raises LedgerFailed.

        ``orders`` has the ids of all orders of each bot.
        """
        path = self.state_dir / REPORTS
        if not path.exists():
            return {}
        with reading(path) as connection:
            marks = {row["stem"]: row for row in query(connection, "SELECT * FROM mark")}
            given = {row["order_id"]: row["id"] for row in query(connection, "SELECT * FROM given")}
            sessions: dict[str, dict[str, str]] = {}
            if has_table(connection, "session"):
                for row in query(connection, "SELECT * FROM session"):
                    sessions.setdefault(row["stem"], {})[row["start"]] = row["id"]
        found = {}
        for bot_id, known in orders.items():
            stem = file_stem(bot_id)
            if stem in marks:
                found[stem] = DeliveryRecord(
                    host=NO_HOST,
                    order_id=marks[stem]["order_id"],
                    kind=ReportKind(marks[stem]["kind"]),
                    at=marks[stem]["at"],
                    given={order_id: given[order_id] for order_id in sorted(known & given.keys())},
                    sessions=sessions.get(stem, {}),
                )
        return found


@contextmanager
def old_state(state_dir: Path, runtime_dir: Path) -> Iterator[OldState]:
    """The records below ``state_dir``, which no service can begin to use in the block.

    Raises ConfigRefused while a process uses them, or when they may be older than the accounts;
    LedgerFailed, which names them, for records that cannot be read.
    """
    if not ledgers(state_dir) and not journals(state_dir):
        raise ConfigRefused(f"{state_dir} has no records of bots")
    if machine.is_of_another(state_dir):
        raise ConfigRefused(
            f"{state_dir} was last used on another machine and may be older than its accounts:"
            " take it over there, or start the service here once, which compares them"
        )
    with ExitStack() as stack:
        files = (path.with_suffix(".lock") for path in (*ledgers(state_dir), *journals(state_dir)))
        for file in (
            state_dir / SUPERVISOR_LOCK,
            *files,
            (state_dir / REPORTS).with_suffix(".lock"),
        ):
            lock = stack.enter_context(closing(FileLock(file)))
            if not lock.try_acquire():
                raise ConfigRefused(
                    f"a service runs on {state_dir}, pid {lock.holder() or 'unknown'}"
                )
        state = OldState(state_dir, runtime_dir)
        state.refuse_damage()
        yield state


def _owner(connection: sqlite3.Connection, path: Path, sql: str) -> str:
    found = query(connection, sql)
    owner = str(found[0][0]) if len(found) == 1 else ""
    if file_stem(owner) != path.stem:
        raise LedgerFailed(f"{path.name} belongs to {owner or 'no owner'}")
    return owner


def _images(connection: sqlite3.Connection, copy: Copy) -> tuple[RowImage, ...]:
    """All rows. Raises LedgerFailed for a table that is not as this version knows it."""
    known = _known_tables((copy.schema, *copy.younger))
    images: list[RowImage] = []
    for table in capture.tables(connection):
        if known.get(table.name) != table.columns:
            raise LedgerFailed(f"{copy.path.name} has a table {table.name} that is unknown here")
        for row in query(connection, f"SELECT rowid, * FROM {table.name} ORDER BY 1"):  # noqa: S608
            values = dict(zip(("rowid", *table.columns), tuple(row), strict=True))
            key = tuple(values[column] for column in table.key)
            images.append(RowImage(table.name, key, capture.shown(tuple(row))))
    return tuple(images)


@cache
def _known_tables(schemas: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    with closing(sqlite3.connect(":memory:")) as connection:
        for schema in schemas:
            connection.executescript(script(schema))
        return {table.name: table.columns for table in capture.tables(connection)}
