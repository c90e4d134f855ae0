"""The journal of one account: a file that the processes of all its bots write.

Many processes write the file, one short transaction at a time; the turn (a lock of its own) decides
which of them may send an order.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

from execsvc.model.comparison import OpenPosition
from execsvc.store.sqlite import machine
from execsvc.store.sqlite.account import doubts, holdings
from execsvc.store.sqlite.account.account_records import AccountRecords
from execsvc.store.sqlite.database import create, open_writable
from execsvc.store.sqlite.file_lock import FileLock
from execsvc.store.sqlite.paths import journal_path


class AccountJournal(AccountRecords):
    """The records of one account in a file of ``state_dir``. Every method raises LedgerFailed."""

    def __init__(
        self, state_dir: Path, key_id: str, connection: sqlite3.Connection | None = None
    ) -> None:
        """Use ``connection``, if there is one, which the caller closes."""
        super().__init__(key_id)
        self._connection = connection
        self._state_dir = state_dir
        self._path = journal_path(state_dir, key_id)
        self.turn = FileLock(self._path.with_suffix(".lock"))

    def _connect(self) -> sqlite3.Connection:
        create(
            self._path,
            "account/account_journal.sql",
            "INSERT INTO account VALUES (1, ?)",
            (self.key_id,),
        )
        return open_writable(self._path, "SELECT key_id FROM account", self.key_id)

    def open_positions(self) -> list[OpenPosition]:
        """The open positions in the ledgers of bots that ever bought on the account, without dust.

        A damaged ledger is left out: its bot does not trade. Raises LedgerUnavailable while one is busy.
        """
        return doubts.open_positions(self.connection, self._state_dir, self.key_id)

    def is_of_another_machine(self) -> bool:
        """True when the state directory was last used on another machine."""
        return machine.is_of_another(self._state_dir)

    def _tracked(self, asset: str) -> Decimal:
        return holdings.tracked(self._state_dir, self.key_id, asset)

    def _tracked_by(self, bot_ids: Iterable[str], asset: str) -> Decimal:
        return holdings.tracked_by(self._state_dir, bot_ids, self.key_id, asset)
