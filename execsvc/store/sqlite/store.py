"""The store in the SQLite files of one state directory."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from execsvc.errors import LedgerFailed
from execsvc.store.bot_state import LedgerState, LogRow
from execsvc.store.claims import Holder
from execsvc.store.doubt import Doubt
from execsvc.store.sqlite import lock_wait, machine, paths
from execsvc.store.sqlite.account.account_journal import AccountJournal
from execsvc.store.sqlite.account.account_pause import PauseFiles
from execsvc.store.sqlite.ballast import Ballast
from execsvc.store.sqlite.bot import reentry
from execsvc.store.sqlite.bot.bot_ledger import BotLedger
from execsvc.store.sqlite.file_lock import SUPERVISOR_LOCK, FileLock
from execsvc.store.sqlite.paths import file_stem, ledger_path
from execsvc.store.sqlite.report_support import takes_reports
from execsvc.store.sqlite.service import account_locks, examination, moved, operator, survey
from execsvc.store.sqlite.service.account_locks import AccountLocks
from execsvc.store.sqlite.service.deliveries import DeliveriesFile
from execsvc.store.sqlite.service.halt import HaltFile
from execsvc.store.sqlite.service.held import HeldBotsFile
from execsvc.store.sqlite.service.outboxes import LedgerOutboxes
from execsvc.store.sqlite.service.place import StateDirectory
from execsvc.store.sqlite.service.sent_alerts_file import SentAlertsFile


class SqliteStore:
    """A file for each bot and each account in ``state_dir``; locks of accounts beside ``runtime_dir``."""

    def __init__(self, state_dir: Path, runtime_dir: Path) -> None:
        self._state_dir = state_dir
        self._locks = account_locks.shared_folder(runtime_dir)
        self._ballast = Ballast(state_dir)
        self._lock = FileLock(state_dir / SUPERVISOR_LOCK)

    def bot(self, bot_id: str, *, reports: bool = False) -> BotLedger:
        """The ledger of ``bot_id``, to be opened."""
        return BotLedger(self._state_dir, bot_id, reports)

    def account(self, key_id: str) -> AccountJournal:
        """The journal of the account ``key_id``, opened at its first use."""
        return AccountJournal(self._state_dir, key_id)

    def pause(self, key_id: str) -> PauseFiles:
        """The times until which the account ``key_id`` is to be left alone."""
        return PauseFiles(self._state_dir, key_id)

    def claims(self) -> AccountLocks:
        """The locks of accounts of this process, none at first."""
        return AccountLocks(self._locks, self._state_dir)

    def outboxes(self) -> LedgerOutboxes:
        """The outboxes in the ledgers."""
        return LedgerOutboxes(self._state_dir)

    def deliveries(self) -> DeliveriesFile:
        """The file of deliveries, to be opened."""
        return DeliveriesFile(self._state_dir)

    def while_waiting(self, call: Callable[[], object]) -> None:
        """Have ``call`` called once a second while this process waits for a lock."""
        lock_wait.while_waiting(call)

    def take(self) -> bool:
        """Take the lock on the state directory until this process dies; False while another has it."""
        if not self._lock.try_acquire():
            return False
        self._lock.name_holder()
        return True

    def is_taken(self) -> bool:
        """True while a process has that lock."""
        return self._lock.is_locked()

    def taken_by(self) -> int | None:
        """The pid that the holder of that lock has written down; None when no process holds the lock."""
        return self._lock.holder() if self._lock.is_locked() else None

    def holder(self, key_id: str) -> Holder | None:
        """The service that has locked the account ``key_id``; None when none has."""
        found = account_locks.holder(self._locks, key_id)
        if found is None:
            return None
        return Holder(found.text, found.state_dir == str(self._state_dir.resolve()))

    def claims_unusable(self) -> str | None:
        """The reason why locks of accounts would mean nothing; None when they can be kept."""
        return account_locks.why_unusable(self._locks)

    def place(self) -> StateDirectory:
        """The state directory."""
        return StateDirectory(self._state_dir)

    def held(self) -> HeldBotsFile:
        """The file of bots that an operator ended."""
        return HeldBotsFile(self._state_dir)

    def halt(self) -> HaltFile:
        """The file of the halt."""
        return HaltFile(self._state_dir)

    def sent_alerts(self) -> SentAlertsFile:
        """The file of alerts that were sent."""
        return SentAlertsFile(self._state_dir)

    def keep_room(self) -> None:
        """Make the ballast, if the disk has room for it."""
        self._ballast.keep()

    def make_room(self) -> None:
        """Delete the ballast if the disk is full."""
        self._ballast.give_up_if_full()

    def name_of(self, bot_id: str) -> str:
        """The stem of the ledger's file."""
        return file_stem(bot_id)

    def has_bot(self, bot_id: str) -> bool:
        """True once ``bot_id`` has a ledger."""
        return ledger_path(self._state_dir, bot_id).exists()

    def read(self, bot_id: str) -> LedgerState | None:
        """The state of one ledger; None when the bot has none."""
        return survey.read(self._state_dir, bot_id)

    def read_named(self, name: str) -> LedgerState | None:
        """The state of the ledger whose file has the stem ``name``."""
        return survey.read_file(self._state_dir, name)

    def survey(self) -> tuple[list[LedgerState], dict[str, LedgerFailed]]:
        """Every readable state, and the fault of each unreadable ledger by file stem."""
        return survey.survey(self._state_dir)

    def read_log(self, bot_id: str, after: int = 0) -> list[LogRow]:
        """The execution log of ``bot_id`` after row ``after``, oldest first."""
        return survey.read_log(self._state_dir, bot_id, after)

    def newest_known_order(self, bot_id: str) -> datetime | None:
        """The time of the newest order of ``bot_id`` that its ledger or a journal knows."""
        return examination.newest_known_order(self._state_dir, bot_id)

    def accounts(self) -> list[str]:
        """The accounts that have a journal, by key."""
        return examination.accounts(self._state_dir)

    def reading_account(self, key_id: str) -> AbstractContextManager[AccountJournal]:
        """The journal of an account on a connection that cannot write."""
        return examination.reading_account(self._state_dir, key_id)

    def check(self, known: Collection[str]) -> dict[str, LedgerFailed]:
        """Damage that SQLite finds in a ledger not ``known``, or a journal, by folder and stem."""
        return examination.check(self._state_dir, known)

    def count_accounts(self) -> int:
        """The count of journals."""
        return len(paths.journals(self._state_dir))

    def allow_reentry(self, bot_id: str) -> None:
        """Make the mark that lets ``bot_id`` enter again."""
        reentry.allow(ledger_path(self._state_dir, bot_id))

    def settle(self, bot_id: str, filled: Decimal) -> str:
        """Decide the oldest contested order of ``bot_id`` (:func:`operator.settle`)."""
        return operator.settle(self._state_dir, bot_id, filled)

    def release(self, bot_id: str) -> str:
        """Ask for a release of ``bot_id`` (:func:`operator.release`)."""
        return operator.release(self._state_dir, bot_id)

    def keep(self, bot_id: str) -> str:
        """Decide that contested coins belong to ``bot_id`` (:func:`operator.keep`)."""
        return operator.keep(self._state_dir, bot_id)

    def release_waits(self, bot_id: str) -> bool:
        """True while a release of ``bot_id`` is not carried out and it has an open position."""
        return operator.release_waits(self._state_dir, bot_id)

    def is_of_another_machine(self) -> bool:
        """True when the directory was last used on another machine."""
        return machine.is_of_another(self._state_dir)

    def contest_if_moved(self) -> list[Doubt] | None:
        """Contest every live position when the directory was last used on another machine."""
        return moved.contest_if_moved(self._state_dir)

    def takes_reports(self, timeout: float = 10.0) -> bool | None:
        """True when BotService takes reports, by the finding of the reporting process."""
        return takes_reports(self._state_dir, timeout)
