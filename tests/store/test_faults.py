"""The distinction between passing faults and damage, wherever a fault is found."""

from __future__ import annotations

import errno
import os
import resource
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from execsvc.errors import LedgerFailed, LedgerUnavailable
from execsvc.store.sqlite import faults, lock_wait
from execsvc.store.sqlite.account.account_journal import AccountJournal
from execsvc.store.sqlite.bot.bot_ledger import BotLedger
from execsvc.store.sqlite.database import transaction
from execsvc.store.sqlite.paths import ledger_path
from execsvc.store.sqlite.service import survey


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[BotLedger]:
    made = BotLedger(tmp_path, "b1")
    made.open()
    yield made
    made.close()


@contextmanager
def descriptors(most: int) -> Iterator[None]:
    """This process can have so many descriptors open at most."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def coded(code: int) -> sqlite3.Error:
    error = sqlite3.OperationalError("no words of this")
    error.sqlite_errorcode = code
    return error


PASSING = {
    "busy": coded(sqlite3.SQLITE_BUSY) if hasattr(sqlite3, "SQLITE_BUSY") else coded(5),
    "busy while it is recovered": coded(5 | 1 << 8),
    "full": coded(13),
    "cannot open": coded(14),
    "read-only": coded(8),
    "input, output": coded(10),
    "memory of SQLite": coded(7),
    "memory": MemoryError(),
    "descriptors": OSError(errno.EMFILE, "too many open files"),
    "disk full": OSError(errno.ENOSPC, "no space left"),
    "disk read-only": OSError(errno.EROFS, "read-only file system"),
    "told before Python 3.11": sqlite3.OperationalError("database is locked"),
    "full before Python 3.11": sqlite3.OperationalError("database or disk is full"),
}
DAMAGED = {
    "malformed": coded(11),
    "no database": coded(26),
    "moved away": coded(8 | 4 << 8),
    "disk broken": coded(10 | 33 << 8),
    "no such table": sqlite3.OperationalError("no such table: bot"),
    "malformed before Python 3.11": sqlite3.DatabaseError("database disk image is malformed"),
    "missing": OSError(errno.ENOENT, "no such file"),
    "a number no column holds": OverflowError("int too large"),
}


@pytest.mark.parametrize("fault", PASSING)
def test_failed_passing_fault_is_unavailable(fault: str) -> None:
    assert isinstance(faults.failed("cannot record", PASSING[fault]), LedgerUnavailable)


@pytest.mark.parametrize("fault", DAMAGED)
def test_failed_fault_of_the_file_is_not_unavailable(fault: str) -> None:
    assert type(faults.failed("cannot record", DAMAGED[fault])) is LedgerFailed


def test_failed_fault_without_words_has_some() -> None:
    assert str(faults.failed("cannot record", MemoryError())) == "cannot record: out of memory"


def test_transaction_lock_of_another_program_is_waited_for_with_signs_of_life(
    ledger: BotLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock_wait, "_meanwhile", lock_wait._meanwhile)
    path = ledger_path(tmp_path, "b1")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with (
            pytest.raises(LedgerUnavailable, match="locked"),
            transaction(ledger.connection, timeout=0.0),
        ):
            pytest.fail("it is not begun")
        lock_wait.while_waiting(lambda: other.in_transaction and other.execute("COMMIT"))
        ledger.keep_failing(None, None)


def test_transaction_full_disk_is_unavailable_and_the_next_one_succeeds(ledger: BotLedger) -> None:
    connection = ledger.connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(LedgerUnavailable, match="full"):
        ledger.keep_state("s", "x" * 100_000)
    connection.execute("PRAGMA max_page_count=100000")
    ledger.keep_state("s", "x" * 100_000)
    assert ledger.state("s") == "x" * 100_000


def test_open_without_descriptors_is_unavailable(tmp_path: Path) -> None:
    with descriptors(0):
        with pytest.raises(LedgerUnavailable):
            BotLedger(tmp_path, "b1").open()
        with pytest.raises(LedgerUnavailable):
            AccountJournal(tmp_path, "k1").unsettled()


def test_survey_tells_what_passes_from_what_is_damaged(ledger: BotLedger, tmp_path: Path) -> None:
    good, bad = ledger_path(tmp_path, "b1"), ledger_path(tmp_path, "b2")
    bad.write_bytes(b"no database " * 1000)
    lowest = os.dup(0)
    os.close(lowest)
    with descriptors(lowest + 1):  # the folder can be listed, and no database opened
        _, unreadable = survey.survey(tmp_path)
    assert isinstance(unreadable[good.stem], LedgerUnavailable)
    _, unreadable = survey.survey(tmp_path)
    assert {stem: type(error) for stem, error in unreadable.items()} == {bad.stem: LedgerFailed}


def test_extend_lock_of_another_program_leaves_no_transaction_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = BotLedger(tmp_path, "b1")
    ledger.open()
    ledger.connection.execute("DROP TABLE guard")
    ledger.close()
    monkeypatch.setattr(lock_wait, "_meanwhile", lock_wait._meanwhile)
    with closing(sqlite3.connect(ledger_path(tmp_path, "b1"), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        lock_wait.while_waiting(lambda: other.in_transaction and other.execute("COMMIT"))
        ledger.open()
    assert not ledger.connection.in_transaction
    assert ledger.connection.execute("SELECT count(*) FROM guard").fetchone()[0] == 0
    ledger.close()
