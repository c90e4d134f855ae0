"""The ledger of a bot: a file with one writer, which holds a lock on it as long as it lives."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from execsvc.errors import LedgerBusy, LedgerFailed
from execsvc.store.sqlite.account.account_journal import AccountJournal
from execsvc.store.sqlite.ballast import Ballast
from execsvc.store.sqlite.bot import abandonment, reentry
from execsvc.store.sqlite.bot.bot_records import BotRecords
from execsvc.store.sqlite.database import create, open_writable
from execsvc.store.sqlite.file_lock import FileLock
from execsvc.store.sqlite.paths import journal_path, ledger_path
from execsvc.store.sqlite.report_support import takes_reports


class BotLedger(BotRecords):
    """The records of one bot in a file of ``state_dir``. Every method raises LedgerFailed."""

    def __init__(self, state_dir: Path, bot_id: str, reports: bool = False) -> None:
        super().__init__(bot_id, reports)
        self._state_dir = state_dir
        self._path = ledger_path(state_dir, bot_id)
        self._ballast = Ballast(state_dir)
        self._lock = FileLock(self._path.with_suffix(".lock"))

    def open(self) -> None:
        """Take the lock and open the file, which is made when there is none.

        Raises LedgerBusy while another process holds the lock, LedgerFailed when the file is unusable.
        """
        if not self._lock.try_acquire():
            raise LedgerBusy(f"{self._path.name} is in use", self._lock.holder())
        self._lock.name_holder()
        self._begin(self._connect())

    def _connect(self) -> sqlite3.Connection:
        """A connection to the file, which is made when there is none."""
        create(
            self._path,
            "bot/bot_ledger.sql",
            "INSERT INTO bot (id, bot_id) VALUES (1, ?)",
            (self.bot_id,),
        )
        return open_writable(self._path, "SELECT bot_id FROM bot", self.bot_id)

    def close(self) -> None:
        """Close the file and release the lock."""
        self._end()
        self._lock.close()

    def is_owned_by(self, pid: int) -> bool:
        """True when the process ``pid`` has the file of the lock open, and so still owns the ledger.

        The pid may belong to an unrelated process since it was written down. False for a process
        that is gone, or that this user may not inspect.
        """
        lock = self._path.with_suffix(".lock").resolve()
        try:
            descriptors = Path(f"/proc/{pid}/fd")
            return any(entry.resolve() == lock for entry in descriptors.iterdir())
        except (ProcessLookupError, FileNotFoundError, PermissionError):
            return False

    def make_room(self) -> None:
        """Delete the ballast when the disk is full, so that sales can be recorded."""
        self._ballast.give_up_if_full()

    def may_reenter(self) -> bool:
        """True, once, when a bot whose stop loss closed its position may enter again."""
        return reentry.take(self._path)

    def reports_are_refused(self) -> bool:
        """True when BotService is known not to take reports; False when the file cannot be read.

        There is no wait for a lock of that file, as an order is being booked.
        """
        try:
            return takes_reports(self._state_dir, timeout=0.0) is False
        except LedgerFailed:
            return False

    def _accounts(self) -> Iterator[closing[AccountJournal]]:
        for key_id in abandonment.accounts_of(self):
            if journal_path(self._state_dir, key_id).exists():
                yield closing(AccountJournal(self._state_dir, key_id))
