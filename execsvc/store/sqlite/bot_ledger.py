"""The ledger of a bot: a file with one writer, held by a lock for its process's life."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from execsvc.errors import LedgerBusy, LedgerFailed
from execsvc.store.sqlite import abandonment, reentry
from execsvc.store.sqlite.account_journal import AccountJournal
from execsvc.store.sqlite.ballast import Ballast
from execsvc.store.sqlite.bot_records import BotRecords
from execsvc.store.sqlite.database import create, open_writable
from execsvc.store.sqlite.file_lock import FileLock
from execsvc.store.sqlite.paths import journal_path, ledger_path
from execsvc.store.sqlite.report_verdict import verdict


class BotLedger(BotRecords):
    """The records of one bot in a file of ``state_dir``. Every method raises LedgerFailed."""

    def __init__(self, state_dir: Path, bot_id: str, reports: bool = False) -> None:
        super().__init__(bot_id, reports)
        self._state_dir = state_dir
        self._path = ledger_path(state_dir, bot_id)
        self._ballast = Ballast(state_dir)
        self._lock = FileLock(self._path.with_suffix(".lock"))

    def open(self) -> None:
        """Take the lock and open the file, making it when there is none.

        Raises LedgerBusy while another process holds it, LedgerFailed when it is unusable.
        """
        if not self._lock.try_acquire():
            raise LedgerBusy(f"{self._path.name} is in use", self._lock.holder())
        self._lock.name_holder()
        create(
            self._path,
            "bot_ledger.sql",
            "INSERT INTO bot (id, bot_id) VALUES (1, ?)",
            (self.bot_id,),
        )
        self._begin(open_writable(self._path, "SELECT bot_id FROM bot", self.bot_id))

    def close(self) -> None:
        """Close the file and release the lock."""
        self._end()
        self._lock.close()

    def is_owned_by(self, pid: int) -> bool:
        """True when the process ``pid`` has the lock's file open, so that the bot is still its own.

        The number may have gone to a stranger since it was written down. False for a process that
        is gone, or is not ours to look at.
        """
        lock = self._path.with_suffix(".lock").resolve()
        try:
            descriptors = Path(f"/proc/{pid}/fd")
            return any(entry.resolve() == lock for entry in descriptors.iterdir())
        except (ProcessLookupError, FileNotFoundError, PermissionError):
            return False

    def make_room(self) -> None:
        """Give up what is kept for this when the disk is full: what is sold must be recorded."""
        self._ballast.give_up_if_full()

    def may_reenter(self) -> bool:
        """True, once, when the bot may enter again that its stop loss has closed."""
        return reentry.take(self._path)

    def reports_are_refused(self) -> bool:
        """True when BotService is known not to take reports; a file that cannot be read says nothing.

        No lock of that file is waited for: an order is being booked.
        """
        try:
            return verdict(self._state_dir, patience=0.0) is False
        except LedgerFailed:
            return False

    def _accounts(self) -> Iterator[closing[AccountJournal]]:
        for key_id in abandonment.accounts_of(self):
            if journal_path(self._state_dir, key_id).exists():
                yield closing(AccountJournal(self._state_dir, key_id))
