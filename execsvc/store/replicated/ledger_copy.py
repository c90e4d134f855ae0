"""The records of a bot on this host: a copy with one owner, filled anew at each opening."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from execsvc.errors import LedgerFailed
from execsvc.store.postgresql.remote import Remote
from execsvc.store.replicated.copies import copy_of_bot
from execsvc.store.replicated.host_claims import HostClaims
from execsvc.store.replicated.journal_copy import JournalCopy
from execsvc.store.replicated.replica import Replica
from execsvc.store.sqlite.account.account_journal import AccountJournal
from execsvc.store.sqlite.ballast import Ballast
from execsvc.store.sqlite.bot import abandonment
from execsvc.store.sqlite.bot.bot_ledger import BotLedger
from execsvc.store.sqlite.paths import journal_path
from execsvc.store.sqlite.report_support import takes_reports


class LedgerCopy(BotLedger):
    """The records of one bot, which the shared records hold. Every method raises LedgerFailed."""

    def __init__(
        self,
        copies: Path,
        bot_id: str,
        reports: bool,
        remote: Remote,
        claims: HostClaims,
        state_dir: Path,
    ) -> None:
        """``copies`` is the folder of the copies, ``state_dir`` that of the host's own files."""
        super().__init__(copies, bot_id, reports)
        self._ballast = Ballast(state_dir)
        self._reports = state_dir
        self._remote = remote
        self._claims = claims
        self._replica: Replica | None = None

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection, once it is known what became of a write whose answer was lost."""
        if self._replica is not None:
            self._replica.settle()
        return super().connection

    def reports_are_refused(self) -> bool:
        """True when BotService is known not to take reports; False when that cannot be read."""
        try:
            return takes_reports(self._reports, timeout=0.0) is False
        except LedgerFailed:
            return False

    def send(self) -> None:
        """Record what the shared records lack, if anything."""
        if self._replica is not None:
            self._replica.settle()
            self._replica.send()

    def send_if_due(self) -> None:
        """Record what the shared records lack for some seconds, if anything."""
        if self._replica is not None:
            self._replica.settle()
            self._replica.send_if_due()

    def close(self) -> None:
        """Send what the shared records lack, close the copy and release the lock."""
        if self._replica is not None:
            self._replica.send_and_close()
            self._replica = None
        super().close()

    def _connect(self) -> sqlite3.Connection:
        copy = copy_of_bot(self._state_dir, self.bot_id)
        replica = Replica(copy, self._remote, self._claims)
        try:
            replica.fill(anew=True)
            replica.begin()
        except BaseException:
            replica.close()
            raise
        self._replica = replica
        return replica.connection

    def _accounts(self) -> Iterator[closing[AccountJournal]]:
        known = set(self._remote.owners("account"))
        for key_id in abandonment.accounts_of(self):
            if key_id in known or journal_path(self._state_dir, key_id).exists():
                journal = JournalCopy(self._state_dir, key_id, self._remote, self._claims)
                yield closing[AccountJournal](journal)
