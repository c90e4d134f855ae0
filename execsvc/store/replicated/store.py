"""The store of one of several hosts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from execsvc.errors import ClaimLost, ConfigRefused, LedgerFailed
from execsvc.store.bot_state import LedgerState, LogRow
from execsvc.store.claims import Holder
from execsvc.store.doubt import Doubt
from execsvc.store.postgresql.remote import Remote
from execsvc.store.replicated.copies import (
    CopyClaim,
    binding_key,
    claim_of,
    copy_of_account,
    copy_of_bot,
    owner_of,
)
from execsvc.store.replicated.elsewhere import accounts_elsewhere, bots_elsewhere
from execsvc.store.replicated.host_claims import HostClaims
from execsvc.store.replicated.journal_copy import JournalCopy
from execsvc.store.replicated.ledger_copy import LedgerCopy
from execsvc.store.replicated.outbox_copies import OutboxCopies
from execsvc.store.replicated.replica import Replica
from execsvc.store.replicated.service_records import (
    HaltRecord,
    HeldBotsRecord,
    SentAlertsShared,
)
from execsvc.store.replicated.shared_deliveries import SharedDeliveries
from execsvc.store.sqlite.account.account_journal import AccountJournal
from execsvc.store.sqlite.account.account_pause import PauseFiles
from execsvc.store.sqlite.paths import COPIES, file_stem, journal_path, ledger_path, ledgers
from execsvc.store.sqlite.service import examination, operator, survey
from execsvc.store.sqlite.service.place import StateDirectory
from execsvc.store.sqlite.store import SqliteStore

SHARED = "the shared records"
"""The name under which a fault of the shared records is among those of the copies."""


class ReplicatedStore:
    """Copies of the records that ``remote`` holds, below ``state_dir``, written under this host's claims.

    Of this host alone are the supervisor's lock, the turns and pauses of accounts, the marks of a reentry
    and the disk: they stay files.
    """

    def __init__(
        self, state_dir: Path, runtime_dir: Path, remote: Remote, claims: HostClaims, host: str
    ) -> None:
        """``host``: the name of this host, which no other one has."""
        self._state_dir = state_dir
        self._copies = state_dir / COPIES
        self._host = host
        self._remote = remote
        self._claims = claims
        self._files = SqliteStore(state_dir, runtime_dir)
        self._here = SqliteStore(self._copies, runtime_dir)

    def bot(self, bot_id: str, *, reports: bool = False) -> LedgerCopy:
        """The records of ``bot_id``, to be opened."""
        return LedgerCopy(
            self._copies, bot_id, reports, self._remote, self._claims, self._state_dir
        )

    def account(self, key_id: str) -> JournalCopy:
        """The records of the account ``key_id``, opened at their first use."""
        return JournalCopy(self._copies, key_id, self._remote, self._claims)

    def pause(self, key_id: str) -> PauseFiles:
        """The times until which the account ``key_id`` is to be left alone by this host."""
        return self._files.pause(key_id)

    def claims(self) -> HostClaims:
        """The claims of this host."""
        return self._claims

    def holder(self, key_id: str) -> Holder | None:
        """The host that has claimed the account ``key_id``; None when none has."""
        return self._claims.holder(key_id)

    def claims_unusable(self) -> str | None:
        """The reason for which claims would mean nothing; None when they can be made."""
        return self._claims.unusable()

    def outboxes(self) -> OutboxCopies:
        """The outboxes in the copies of this host."""
        return OutboxCopies(self._copies, self._remote, self._claims)

    def deliveries(self) -> SharedDeliveries:
        """The deliveries of this host's bots, to be opened."""
        return SharedDeliveries(self._state_dir, self._remote, self._host)

    def while_waiting(self, call: Callable[[], object]) -> None:
        """Have ``call`` called once a second while this process waits for a lock."""
        self._files.while_waiting(call)

    def take(self) -> bool:
        """Take the lock on the state directory until this process dies; False while another has it."""
        return self._files.take()

    def is_taken(self) -> bool:
        """True while a process of this host has that lock."""
        return self._files.is_taken()

    def taken_by(self) -> int | None:
        """The pid that the holder of that lock has written down; None when no process holds the lock."""
        return self._files.taken_by()

    def place(self) -> StateDirectory:
        """The directory of the copies."""
        return self._files.place()

    def held(self) -> HeldBotsRecord:
        """The bots that an operator ended, on any host."""
        return HeldBotsRecord(self._remote)

    def halt(self) -> HaltRecord:
        """The halt of all hosts."""
        return HaltRecord(self._remote, self._host)

    def sent_alerts(self) -> SentAlertsShared:
        """The alerts that this host has sent."""
        return SentAlertsShared(self._remote, self._host)

    def keep_room(self) -> None:
        """Make the ballast, if the disk has room for it."""
        self._files.keep_room()

    def make_room(self) -> None:
        """Delete the ballast if the disk is full."""
        self._files.make_room()

    def name_of(self, bot_id: str) -> str:
        """The stem of the file of the copy, on each host."""
        return file_stem(bot_id)

    def has_bot(self, bot_id: str) -> bool:
        """True once ``bot_id`` has records; of another host's bots only while they can be read."""
        if ledger_path(self._copies, bot_id).exists():
            return True
        try:
            return bot_id in self._remote.owners("bot")
        except LedgerFailed:
            return False

    def read(self, bot_id: str) -> LedgerState | None:
        """The state of one bot; None when it has no records."""
        with self._records_of(bot_id) as folder:
            return survey.read(folder, bot_id)

    def read_named(self, name: str) -> LedgerState | None:
        """The state of the bot whose copy has the stem ``name``."""
        for bot_id in self._remote.owners("bot"):
            if file_stem(bot_id) == name:
                return self.read(bot_id)
        return survey.read_file(self._copies, name)

    def survey(self) -> tuple[list[LedgerState], dict[str, LedgerFailed]]:
        """Every readable state, and the fault of each copy that cannot be read, by file stem.

        The bots of other hosts are missing while they cannot be read, and "the shared records" are among
        the faults then.
        """
        states: list[LedgerState] = []
        faults: dict[str, LedgerFailed] = {}
        try:
            everywhere = set(self._remote.owners("bot"))
        except LedgerFailed as error:
            states, faults = self._here.survey()
            return states, {**faults, SHARED: error}
        here = set()
        for path in ledgers(self._copies):
            try:
                bot_id = owner_of(path)
                if bot_id not in everywhere or self._is_here(bot_id):
                    here.add(bot_id)
                    states.append(survey.read_file(self._copies, path.stem) or _gone(bot_id))
            except LedgerFailed as error:
                faults[path.stem] = error
        try:
            with bots_elsewhere(self._remote, sorted(everywhere - here)) as folder:
                found, damaged = survey.survey(folder)
        except LedgerFailed as error:
            return states, {**faults, SHARED: error}
        return sorted([*states, *found], key=_by_stem), {**faults, **damaged}

    def read_log(self, bot_id: str, after: int = 0) -> list[LogRow]:
        """The execution log of ``bot_id`` after row ``after``, oldest first."""
        with self._records_of(bot_id) as folder:
            return survey.read_log(folder, bot_id, after)

    def newest_known_order(self, bot_id: str) -> datetime | None:
        """The time of the newest order of ``bot_id`` that its records or an account's know."""
        with self._records_of(bot_id) as folder:
            return examination.newest_known_order(folder, bot_id)

    def accounts(self) -> list[str]:
        """The accounts that have records, by key."""
        return self._remote.owners("account")

    @contextmanager
    def reading_account(self, key_id: str) -> Iterator[AccountJournal]:
        """The records of an account on a connection that cannot write."""
        if self._has_journal(key_id):
            with examination.reading_account(self._copies, key_id) as journal:
                yield journal
        else:
            with (
                accounts_elsewhere(self._remote, [key_id]) as folder,
                examination.reading_account(folder, key_id) as journal,
            ):
                yield journal

    def check(self, known: Collection[str]) -> dict[str, LedgerFailed]:
        """Damage that SQLite finds in a copy not ``known``, by folder and stem."""
        return self._here.check(known)

    def count_accounts(self) -> int:
        """The count of accounts; of this host's while the others cannot be read."""
        try:
            return len(self.accounts())
        except LedgerFailed:
            return self._here.count_accounts()

    def allow_reentry(self, bot_id: str) -> None:
        """Make the mark that lets ``bot_id`` enter again, on this host."""
        self._here.allow_reentry(bot_id)

    def settle(self, bot_id: str, filled: Decimal) -> str:
        """Decide the oldest contested order of ``bot_id`` (:func:`operator.settle`)."""
        with self._deciding(bot_id):
            return operator.settle(self._copies, bot_id, filled, self._open)

    def release(self, bot_id: str) -> str:
        """Ask for a release of ``bot_id`` (:func:`operator.release`)."""
        with self._deciding(bot_id):
            return operator.release(self._copies, bot_id, self._open)

    def keep(self, bot_id: str) -> str:
        """Decide that contested coins belong to ``bot_id`` (:func:`operator.keep`)."""
        with self._deciding(bot_id):
            return operator.keep(self._copies, bot_id, self._open)

    def release_waits(self, bot_id: str) -> bool:
        """True while a release of ``bot_id`` is not carried out and it has an open position."""
        with self._records_of(bot_id) as folder:
            return operator.release_waits(folder, bot_id)

    def is_of_another_machine(self) -> bool:
        """False: the shared records are of no machine."""
        return False

    def contest_if_moved(self) -> list[Doubt] | None:
        """None: the shared records are of no machine."""
        return None

    def takes_reports(self, timeout: float = 10.0) -> bool | None:
        """True when BotService takes reports, by the finding of the reporting process of this host."""
        return self._files.takes_reports(timeout)

    def drop(self, key_id: str) -> None:
        """Remove the copies of a lost account and of its bots; none may be open. Raises LedgerFailed."""
        for path in ledgers(self._copies):
            if claim_of(path).key_id == key_id:
                copy_of_bot(self._copies, owner_of(path)).drop()
        copy_of_account(self._copies, key_id).drop()

    def _open(self, state_dir: Path, key_id: str) -> JournalCopy:
        return JournalCopy(state_dir, key_id, self._remote, self._claims)

    @contextmanager
    def _records_of(self, bot_id: str) -> Iterator[Path]:
        """The directory that has the records of the bot: the one of the copies, or a temporary one."""
        if self._is_here(bot_id):
            yield self._copies
        else:
            with bots_elsewhere(self._remote, [bot_id]) as folder:
                yield folder

    def _is_here(self, bot_id: str) -> bool:
        """True when the copies of the bot and its account are what the shared records hold."""
        path = ledger_path(self._copies, bot_id)
        if not path.exists():
            return False
        claim = claim_of(path)
        if not claim.key_id:
            return not binding_key(self._remote.read("bot", bot_id))
        if not self._is_good(claim):
            return False
        return self._has_journal(claim.key_id) or claim.key_id not in self.accounts()

    def _has_journal(self, key_id: str) -> bool:
        path = journal_path(self._copies, key_id)
        return path.exists() and self._is_good(claim_of(path))

    def _is_good(self, claim: CopyClaim) -> bool:
        if self._claims.fence(claim.key_id) != claim.fence:
            return False
        try:
            self._claims.check(*claim)
        except ClaimLost:
            return False
        except LedgerFailed:
            return True  # the lease is not certain: the copy is what is known here
        return True

    @contextmanager
    def _deciding(self, bot_id: str) -> Iterator[None]:
        """A decision about the bot. Raises ConfigRefused for a bot of another host."""
        is_elsewhere = not self._is_here(bot_id) and bot_id in self._remote.owners("bot")
        if is_elsewhere:
            state = self.read(bot_id)
            key_id = state.binding.key_id if state is not None and state.binding else ""
            holder = self.holder(key_id) if key_id else None
            if holder is not None and not holder.is_ours:
                raise ConfigRefused(
                    f"bot {bot_id} runs with {holder.text}: give the command on that host"
                )
            self._make_copies(bot_id, key_id)
        yield

    def _make_copies(self, bot_id: str, key_id: str) -> None:
        """Make the copies of a bot that no process of this host has opened yet."""
        copy = copy_of_bot(self._copies, bot_id)
        with closing(Replica(copy, self._remote, self._claims)) as replica:
            replica.fill(anew=False)
        if key_id:
            with closing(self.account(key_id)) as journal:
                journal.unsettled()


def _by_stem(state: LedgerState) -> str:
    return file_stem(state.bot_id)


def _gone(bot_id: str) -> LedgerState:
    raise LedgerFailed(f"the copy of bot {bot_id} was removed meanwhile")
