"""The one way to open an SQLite file: created whole or not at all, checked, and in one version.

Every fault is LedgerFailed, one that may pass LedgerUnavailable (:mod:`execsvc.store.sqlite.faults`); a
file that fails the checks is never written to.
"""

from __future__ import annotations

import functools
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from importlib import resources
from pathlib import Path

from execsvc.errors import LedgerFailed
from execsvc.failpoints import Failpoint, hit
from execsvc.store.sqlite import faults
from execsvc.store.sqlite.lock_wait import BUSY_SECONDS, SLICE, retry_while_locked

_FAULTS = (*faults.FAULTS, UnicodeEncodeError, OverflowError)
"""The exceptions of SQLite: the last two are for values that no column can hold."""
CACHE_SIZE = 64
"""KiB of pages that a connection keeps in memory. SQLite's 2 MiB are filled in hours, for each bot."""
CHECKPOINT_PAGES = 60
"""Pages of a write-ahead log after which its rows are moved into the database."""
LONGEST_WAL = 256 * 1024
"""Bytes to which a longer write-ahead log is cut back when its rows are in the database."""
VERSION = 1
_VERSIONS_AT = 18
_WAL_VERSIONS = b"\x02\x02"


def create(path: Path, schema: str, first: str, values: tuple[str, ...]) -> None:
    """Make the database ``path`` with ``schema`` and one first row, unless it is there.

    The file is written under another name and renamed, so that an empty or half-made file under
    ``path`` is always the sign of a fault and never mistaken for a new ledger. Until then the file
    needs no journal: a file that is made and removed makes the next ones slower on ext4.
    """
    if path.exists():
        return
    # Another process may make the database, and begin its -wal, between the two looks: so a third one.
    if path.with_name(f"{path.name}-wal").exists() and not path.exists():
        # SQLite would write the rows that the lost file had not taken yet into the new one.
        raise LedgerFailed(f"{path.name} is gone, but its -wal is there: restore it")
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft.unlink(missing_ok=True)
        with closing(sqlite3.connect(draft, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous=OFF")
            connection.execute("PRAGMA journal_mode=OFF")
            connection.executescript(f"BEGIN; {script(schema)} PRAGMA user_version={VERSION};")
            connection.execute(first, values)
            connection.execute("COMMIT")
        _write_ahead(draft)
        _make_durable(draft)
        _move_into_place(draft, path)
        _make_durable(path.parent)
    except faults.FAULTS as error:
        with suppress(OSError):  # drafts must not pile up on a disk that stays full
            draft.unlink(missing_ok=True)
        raise faults.failed(f"{path.name} cannot be created", error) from error


def _not_claimed() -> None:
    """Allow a write, as no claim can be lost."""


def _kept_here_alone(durable: bool) -> None:
    """Record nothing elsewhere."""


class RememberingConnection(sqlite3.Connection):
    """A connection that remembers the tables of its database, none of which is ever dropped."""

    tables: frozenset[str] = frozenset()
    """The tables that were there at the last look."""


class FencedConnection(RememberingConnection):
    """A connection that asks before each transaction whether the claim of its user is still good."""

    check_claim: Callable[[], None] = staticmethod(_not_claimed)
    """Raises ClaimLost when the claim was lost."""
    record_elsewhere: Callable[[bool], None] = staticmethod(_kept_here_alone)
    """Called just before the commit, with True for a durable transaction: what it raises rolls all back."""
    waits_for_disk = True
    """False when durable transactions are durable elsewhere: then none waits for the disk."""


def in_memory(schema: str, first: str, values: tuple[str, ...]) -> FencedConnection:
    """A database with ``schema`` and one first row that never touches a disk."""
    connection = sqlite3.connect(":memory:", isolation_level=None, factory=FencedConnection)
    connection.executescript(script(schema))
    connection.execute(first, values)
    connection.row_factory = sqlite3.Row
    return connection


def extend(connection: sqlite3.Connection, schema: str) -> None:
    """Add the tables of ``schema`` (``CREATE TABLE IF NOT EXISTS``). Raises LedgerFailed.

    They leave the version as it is: an older service reads such a file, and ignores them. Their
    creation need not survive a power loss, so it does not wait for the disk; every start repeats it.
    """
    try:
        connection.execute("PRAGMA synchronous=NORMAL")
        retry_while_locked(lambda: _run_whole(connection, script(schema)))
    except _FAULTS as error:
        raise faults.failed(f"{Path(schema).name} cannot be added", error) from error


def _run_whole(connection: sqlite3.Connection, statements: str) -> None:
    try:
        connection.executescript(f"BEGIN; {statements} COMMIT;")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@functools.cache
def script(schema: str) -> str:
    """The statements of a ``.sql`` file of this folder."""
    return resources.files(__package__).joinpath(schema).read_text()


def _write_ahead(draft: Path) -> None:
    """Set the WAL mode in the header of the file.

    ``PRAGMA journal_mode=WAL`` does the same with a journal of its own. The bytes are the write
    and the read version, 1 for a rollback journal and 2 for WAL: https://www.sqlite.org/fileformat2.html
    """
    with draft.open("r+b") as file:
        file.seek(_VERSIONS_AT)
        file.write(_WAL_VERSIONS)


def _move_into_place(draft: Path, path: Path) -> None:
    try:
        os.link(draft, path)  # unlike a rename it fails when another process was faster
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _make_durable(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_writable(
    path: Path, owner: str, owned_by: str, kind: type[sqlite3.Connection] = RememberingConnection
) -> sqlite3.Connection:
    """A connection of this kind that writes. Raises LedgerFailed when the file is not a sound database.

    ``owner`` is the query for the owner of the file, which has to be ``owned_by``.
    """
    try:
        # A connection that cannot write checks first: the closing of a damaged file would already
        # write its -wal into it.
        with closing(_connect(path, "ro")) as reader:
            _check(reader, path)
            _check_owner(reader, path, owner, owned_by)
        connection = _connect(path, "rw", kind=kind)
        try:
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute(f"PRAGMA cache_size=-{CACHE_SIZE}")
            connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
            connection.execute(f"PRAGMA journal_size_limit={LONGEST_WAL}")
        except BaseException:
            connection.close()
            raise
    except faults.FAULTS as error:
        raise faults.failed(f"{path.name} cannot be opened", error) from error
    return connection


@contextmanager
def reading(path: Path, timeout: float = BUSY_SECONDS) -> Iterator[sqlite3.Connection]:
    """A read-only connection for the length of a block; every SQLite fault is LedgerFailed.

    One statement waits for a lock for ``timeout`` seconds, and for SLICE at most.
    """
    try:
        with closing(_connect(path, "ro", min(timeout, SLICE))) as connection:
            _check_version(connection, path)
            yield connection
    except faults.FAULTS as error:
        raise faults.failed(f"{path.name} cannot be read", error) from error


@contextmanager
def transaction(
    connection: sqlite3.Connection, durable: bool = True, timeout: float = BUSY_SECONDS
) -> Iterator[sqlite3.Connection]:
    """One transaction: on the disk when the block has ended, or not at all.

    One that is not ``durable`` survives the end of the process but not of the machine: for rows
    that no decision about money depends on. It saves a wait for the disk. The wait for a lock of the
    database that another program holds is ``timeout`` seconds at most. Raises ClaimLost where a claim
    can be lost and was lost; a file has one owner by its lock, which is never lost.
    """
    fenced = connection if isinstance(connection, FencedConnection) else None
    waits = durable and (fenced is None or fenced.waits_for_disk)
    with writing(connection, waits, timeout):
        if fenced is not None:
            fenced.check_claim()
        yield connection
        if fenced is not None:
            fenced.record_elsewhere(durable)
        hit(Failpoint.BEFORE_COMMIT)
    hit(Failpoint.AFTER_COMMIT)


@contextmanager
def writing(
    connection: sqlite3.Connection, durable: bool, timeout: float = BUSY_SECONDS
) -> Iterator[None]:
    """The write lock of the database for a block, whose changes are committed at its end. No claim is asked.

    Raises LedgerFailed.
    """
    try:
        connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
        retry_while_locked(lambda: connection.execute("BEGIN IMMEDIATE"), timeout)
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:  # a full disk may have caused a rollback already
                connection.execute("ROLLBACK")
            raise
    except _FAULTS as error:
        raise faults.failed("cannot record", error) from error


@contextmanager
def apart(tx: sqlite3.Connection) -> Iterator[None]:
    """A part of a transaction that may fail by itself: LedgerFailed, and the rest goes on.

    A fault that may pass is not of this part: it fails the whole transaction, to be tried again.
    """
    tx.execute("SAVEPOINT apart")
    try:
        yield
    except BaseException as error:
        # A full disk may have rolled all of it back already.
        if not tx.in_transaction or faults.passes(error):
            raise
        tx.execute("ROLLBACK TO apart")
        tx.execute("RELEASE apart")
        if isinstance(error, (*_FAULTS, ArithmeticError, ValueError)):
            raise LedgerFailed(f"cannot record: {error}") from error
        raise
    tx.execute("RELEASE apart")


def has_table(connection: sqlite3.Connection, name: str, timeout: float = BUSY_SECONDS) -> bool:
    """False for a table that is younger than the file. Raises LedgerFailed."""
    if isinstance(connection, RememberingConnection) and name in connection.tables:
        return True
    found = query(connection, "SELECT name FROM sqlite_master WHERE type='table'", (), timeout)
    tables = frozenset(row[0] for row in found)
    # A table that was made in a transaction is gone again when that is rolled back.
    if isinstance(connection, RememberingConnection) and not connection.in_transaction:
        connection.tables = tables
    return name in tables


def query(
    connection: sqlite3.Connection,
    sql: str,
    values: tuple[object, ...] = (),
    timeout: float = BUSY_SECONDS,
) -> list[sqlite3.Row]:
    """All rows of ``sql``; a lock is awaited for ``timeout`` seconds at most. Raises LedgerFailed."""
    try:
        return retry_while_locked(lambda: connection.execute(sql, values).fetchall(), timeout)
    except faults.FAULTS as error:
        raise faults.failed("cannot read", error) from error


def newest_first(
    connection: sqlite3.Connection, sql: str, values: tuple[object, ...]
) -> Iterator[sqlite3.Row]:
    """The rows of ``sql`` one by one, for a reader that stops early. Raises LedgerFailed."""
    try:
        with closing(connection.execute(sql, values)) as cursor:
            yield from cursor
    except faults.FAULTS as error:
        raise faults.failed("cannot read", error) from error


def _connect(
    path: Path,
    mode: str,
    timeout: float = SLICE,
    kind: type[sqlite3.Connection] = RememberingConnection,
) -> sqlite3.Connection:
    if path.stat().st_size == 0:
        raise LedgerFailed(f"{path.name} is empty")
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=timeout,
        isolation_level=None,
        check_same_thread=False,
        factory=kind,
    )
    connection.row_factory = sqlite3.Row
    return connection


def _check(connection: sqlite3.Connection, path: Path) -> None:
    _check_version(connection, path)
    result = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if result != "ok":
        raise LedgerFailed(f"{path.name} is damaged: {result}")


def _check_owner(connection: sqlite3.Connection, path: Path, owner: str, owned_by: str) -> None:
    found = [row[0] for row in connection.execute(owner)]
    if found != [owned_by]:
        raise LedgerFailed(
            f"{path.name} belongs to {', '.join(found) or 'no owner'}: not {owned_by}"
        )


def _check_version(connection: sqlite3.Connection, path: Path) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        raise LedgerFailed(f"{path.name} has schema {version}, newer than {VERSION} known here")
    if version < 1:
        raise LedgerFailed(f"{path.name} has no schema version")
