"""Files that are not what they should be: refused by name, and never written to."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from support.environment import scrubbed
from support.ledger_samples import AT, BINDING, fill, intent, order
from support.requirements import require
from support.stores import store_in

from execsvc.errors import LedgerBusy, LedgerFailed
from execsvc.model.order import OrderState
from execsvc.store.sqlite.account.account_journal import AccountJournal
from execsvc.store.sqlite.bot.bot_ledger import BotLedger
from execsvc.store.sqlite.database import CACHE_SIZE, open_writable
from execsvc.store.sqlite.file_lock import FileLock
from execsvc.store.sqlite.paths import journal_path, ledger_path
from execsvc.store.sqlite.service import survey


def made(folder: Path, bot_id: str = "b1") -> Path:
    """The file of a ledger that was opened once."""
    ledger = BotLedger(folder, bot_id)
    ledger.open()
    ledger.close()
    return ledger_path(folder, bot_id)


def with_version(path: Path, version: int) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version={version}")


def bad_page(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[8192:12288] = os.urandom(4096)
    path.write_bytes(content)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "cut": lambda path: os.truncate(path, path.stat().st_size // 2),
    "noise": lambda path: path.write_bytes(b"no database " * 1000),
    "bad page": bad_page,
    "newer": lambda path: with_version(path, 99),
    "older": lambda path: with_version(path, 0),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_ledger_is_refused_and_left_as_it_is(tmp_path: Path, damage: str) -> None:
    path = made(tmp_path)
    DAMAGES[damage](path)
    before = path.read_bytes()
    ledger = BotLedger(tmp_path, "b1")
    for _ in range(2):
        with pytest.raises(LedgerFailed, match="b1-"):
            ledger.open()
        ledger.close()
    assert path.read_bytes() == before
    if damage != "bad page":  # looking through every page is the writer's part
        with pytest.raises(LedgerFailed):
            survey.read(tmp_path, "b1")
        states, unreadable = survey.survey(tmp_path)
        assert states == []
        assert list(unreadable) == [path.stem]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_journal_is_refused_and_left_as_it_is(tmp_path: Path, damage: str) -> None:
    journal = AccountJournal(tmp_path, "k1")
    assert journal.unsettled() is None
    journal.close()
    path = journal_path(tmp_path, "k1")
    DAMAGES[damage](path)
    before = path.read_bytes()
    with pytest.raises(LedgerFailed, match="k1-"):
        journal.unsettled()
    journal.close()
    assert path.read_bytes() == before


def test_a_ledger_of_another_bot_is_refused(tmp_path: Path) -> None:
    """A backup that was restored under the wrong name would sell the other bot's position."""
    shutil.copy(made(tmp_path, "other"), ledger_path(tmp_path, "b1"))
    with pytest.raises(LedgerFailed, match="belongs to other"):
        BotLedger(tmp_path, "b1").open()


def test_a_ledger_that_was_deleted_beside_its_wal_is_not_made_anew(tmp_path: Path) -> None:
    path = made(tmp_path)
    path.with_name(f"{path.name}-wal").write_bytes(b"x" * 100)
    path.unlink()
    with pytest.raises(LedgerFailed, match="-wal"):
        BotLedger(tmp_path, "b1").open()
    assert not path.exists()


def test_journal_that_another_bot_makes_between_two_looks_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = Path.exists
    journals: list[AccountJournal] = []

    def look_before_another_bot(path: Path) -> bool:
        found = look(path)
        if path == journal_path(tmp_path, "k1") and not journals:
            journals.append(journal := AccountJournal(tmp_path, "k1"))
            journal.begin(intent(1))
        return found

    monkeypatch.setattr(Path, "exists", look_before_another_bot)
    with closing(AccountJournal(tmp_path, "k1")) as journal:
        assert journal.unsettled() is not None
    assert journals
    journals[0].close()


def test_a_file_in_the_way_of_the_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "bots").write_text("")
    with pytest.raises(LedgerFailed, match="locked"):
        BotLedger(tmp_path, "b1").open()


def test_a_read_only_directory_is_said(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        require("mount")
        mount = ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(tmp_path)]
        subprocess.run(mount, env=scrubbed(), capture_output=True, check=True)
    else:
        tmp_path.chmod(0o500)
    try:
        with pytest.raises(LedgerFailed):
            BotLedger(tmp_path, "b1").open()
        with pytest.raises(LedgerFailed):
            AccountJournal(tmp_path, "k1").unsettled()
    finally:
        if os.geteuid() == 0:
            subprocess.run(["umount", str(tmp_path)], env=scrubbed(), check=True)
        else:
            tmp_path.chmod(0o700)


def test_a_second_owner_is_told_of_the_first(tmp_path: Path) -> None:
    first = BotLedger(tmp_path, "b1")
    first.open()
    with pytest.raises(LedgerBusy) as busy:
        BotLedger(tmp_path, "b1").open()
    assert busy.value.pid == os.getpid()
    first.close()
    second = BotLedger(tmp_path, "b1")
    second.open()
    second.close()


def test_a_lock_ends_with_its_holder_and_can_be_taken_again(tmp_path: Path) -> None:
    one, other = FileLock(tmp_path / "a.lock"), FileLock(tmp_path / "a.lock")
    assert one.try_acquire()
    assert not other.try_acquire()
    one.release()
    assert other.try_acquire()
    assert not one.try_acquire()
    other.close()
    assert one.try_acquire()
    assert one.holder() is None
    one.close()


def test_write_ahead_logs_and_caches_of_a_bot_that_trades_for_long_stay_small(
    tmp_path: Path,
) -> None:
    store = store_in(tmp_path)
    with closing(store.bot("b1")) as bot, closing(store.account("k1")) as account:
        bot.open()
        bot.bind(BINDING, 5)
        for number in range(1, 200):
            account.begin(intent(number))
            account.outcome(f"c{number}", OrderState.EXECUTED, fill(), AT)
            bot.book(BINDING, order(number))
        logs = list(tmp_path.rglob("*.db-wal"))
        assert len(logs) == 2
        assert max(path.stat().st_size for path in logs) < 300_000
    connection = open_writable(ledger_path(tmp_path, "b1"), "SELECT bot_id FROM bot", "b1")
    with closing(connection):
        assert connection.execute("PRAGMA cache_size").fetchone()[0] == -CACHE_SIZE


def test_files_and_folders_are_private(tmp_path: Path) -> None:
    path = made(tmp_path)
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert path.with_suffix(".lock").stat().st_mode & 0o777 == 0o600
