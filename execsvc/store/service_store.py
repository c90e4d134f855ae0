"""Interface of the records of the service: held bots, the halt, bots as readers see them, reports."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from execsvc.errors import LedgerFailed
from execsvc.store.account_store import AccountStore
from execsvc.store.bot_state import LedgerState, LogRow
from execsvc.store.doubt import Doubt
from execsvc.store.halted import Halted
from execsvc.store.place import RecordsPlace


class HeldBots(Protocol):
    """The bots that an operator ended, by id; the value says whether the bot keeps its position."""

    name: str
    """The name of the record, for people."""
    damage: str | None
    """The reason why the record cannot be read, if so: :meth:`suspect` is then called for every bot."""

    @property
    def bots(self) -> Mapping[str, bool]:
        """The held bots by id; the value is True for a bot that keeps its position."""
        ...

    def suspect(self, bot_ids: Iterable[str]) -> None:
        """Hold these bots with their positions, as the record that may name them cannot be read."""
        ...

    def is_suspect(self, bot_id: str) -> bool:
        """True while the bot is held only because the record could not be read."""
        ...

    def add(self, bot_id: str, *, keeps: bool) -> None:
        """Hold ``bot_id``. Raises LedgerFailed when this could not be recorded."""
        ...

    def discard(self, bot_id: str) -> None:
        """Forget ``bot_id``, if it was held. Raises LedgerFailed when this could not be recorded."""
        ...

    def write_again(self) -> None:
        """Record the decisions that could not be recorded when they were made. Raises LedgerFailed."""
        ...


class Halt(Protocol):
    """The halt of all trading, across restarts. One that cannot be read counts as a halt."""

    name: str
    """The name of the record, for people."""
    damage: str | None
    """The reason why the record cannot be read, if so."""
    current: Halted | None
    """The halt in force; None when bots may trade."""

    def begin(self, reason: str | None) -> None:
        """Halt, from now on or with another reason. Raises LedgerFailed when the halt is not recorded.

        The halt is in force all the same then, until the service restarts.
        """
        ...

    def refresh(self) -> bool:
        """Take a halt that another process recorded; True when one in force had to be recorded again.

        Raises LedgerFailed when the halt cannot be recorded.
        """
        ...

    def end(self) -> None:
        """Let bots trade again. Raises LedgerFailed, and then the halt stays in force."""
        ...


class SentAlertsRecord(Protocol):
    """The alerts that were sent and are not over: one document, whose loss does no harm."""

    @property
    def place(self) -> str:
        """The place of the document, for the log."""
        ...

    @property
    def name(self) -> str:
        """The name of the document, for the log."""
        ...

    def read(self) -> bytes | None:
        """The document as it was written last; None before the first. Raises LedgerFailed."""
        ...

    def write(self, content: bytes) -> None:
        """Replace the document. Raises LedgerFailed."""
        ...


class ServiceStore(Protocol):
    """The records of one service. Methods raise LedgerFailed unless their docstring says otherwise.

    The records of the service itself have no fence: one supervisor has taken them (:meth:`take`). A decision
    of an operator about a bot (:meth:`settle`, :meth:`release`, :meth:`keep`) is written to the records of an
    account, under the claim on the account at that moment: ClaimLost when it is lost before the write.
    """

    def take(self) -> bool:
        """Become the service's one supervisor until this process dies; False while another one is."""
        ...

    def is_taken(self) -> bool:
        """True while a supervisor has the records."""
        ...

    def taken_by(self) -> int | None:
        """The process id of that supervisor; None where the id is not known, or there is no supervisor."""
        ...

    def claims_unusable(self) -> str | None:
        """The reason for which claims of accounts would mean nothing; None when they can be made."""
        ...

    def place(self) -> RecordsPlace:
        """The place of the records, for people. Raises nothing."""
        ...

    def held(self) -> HeldBots:
        """The bots that an operator ended, as they are recorded now. Raises nothing."""
        ...

    def halt(self) -> Halt:
        """The halt of all trading, as it is recorded now. Raises nothing."""
        ...

    def sent_alerts(self) -> SentAlertsRecord:
        """The document of alerts that were sent. Raises nothing."""
        ...

    def keep_room(self) -> None:
        """Keep room on the disk for the records of sales. Raises nothing."""
        ...

    def make_room(self) -> None:
        """Give up the kept room if the disk is full. Raises nothing."""
        ...

    def name_of(self, bot_id: str) -> str:
        """The name that the records of ``bot_id`` have here, also where they cannot be read."""
        ...

    def has_bot(self, bot_id: str) -> bool:
        """True once ``bot_id`` has records. Raises nothing."""
        ...

    def read(self, bot_id: str) -> LedgerState | None:
        """The state of one bot; None when it has no records."""
        ...

    def read_named(self, name: str) -> LedgerState | None:
        """The state of the bot of the records ``name``, whose id may not be known."""
        ...

    def survey(self) -> tuple[list[LedgerState], dict[str, LedgerFailed]]:
        """Every readable state, and the unreadable records by their names. Raises nothing."""
        ...

    def read_log(self, bot_id: str, after: int = 0) -> list[LogRow]:
        """The execution log of ``bot_id`` after row ``after``, oldest first."""
        ...

    def newest_known_order(self, bot_id: str) -> datetime | None:
        """The time of the newest order of ``bot_id`` that its records or an account's know."""
        ...

    def accounts(self) -> list[str]:
        """The accounts that have records, by key."""
        ...

    def reading_account(self, key_id: str) -> AbstractContextManager[AccountStore]:
        """The records of an account for the length of a block, to be read only."""
        ...

    def check(self, known: Collection[str]) -> dict[str, LedgerFailed]:
        """Damage of records that open all the same, by their names: a check of their whole content.

        The records of bots whose names are ``known`` to be unreadable are left out. Raises nothing.
        """
        ...

    def count_accounts(self) -> int:
        """Count of the accounts that have records, readable or not. Raises nothing."""
        ...

    def allow_reentry(self, bot_id: str) -> None:
        """Let ``bot_id`` enter again after its stop loss has closed a position."""
        ...

    def settle(self, bot_id: str, filled: Decimal) -> str:
        """Decide the oldest contested order of ``bot_id``: ``filled`` base units were filled.

        For a buy, ``filled`` is the quantity that arrived, after a fee in base. Returns a line for the
        operator. Raises ConfigRefused when there is nothing to decide or the quantity is impossible.
        """
        ...

    def release(self, bot_id: str) -> str:
        """Ask the owner of the records of ``bot_id`` to book missing coins as gone at once.

        Returns a line for the operator. Raises ConfigRefused when the bot has no records.
        """
        ...

    def keep(self, bot_id: str) -> str:
        """Decide that the contested coins of ``bot_id`` belong to the bot. Returns a line for the operator.

        Raises ConfigRefused when none are contested.
        """
        ...

    def release_waits(self, bot_id: str) -> bool:
        """True while a release of ``bot_id`` is not carried out and it has an open position."""
        ...

    def is_of_another_machine(self) -> bool:
        """True when the records were last used on another machine."""
        ...

    def contest_if_moved(self) -> list[Doubt] | None:
        """Contest every live position when the records come from another machine; None otherwise."""
        ...

    def takes_reports(self, timeout: float = 10.0) -> bool | None:
        """True when BotService takes reports of orders, False when not, None while that was never tried.

        The wait for a record that another program has locked is ``timeout`` seconds at most.
        """
        ...
