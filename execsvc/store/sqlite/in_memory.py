"""A store in memory, for bots that are only replayed: the records of the files, without a disk."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal

from execsvc.clock import SYSTEM, Moment
from execsvc.errors import LedgerBusy
from execsvc.model.bot import Binding
from execsvc.model.comparison import OpenPosition
from execsvc.model.market import ZERO, exact_sum
from execsvc.model.position import Position
from execsvc.store.account_store import NEVER_PAUSED
from execsvc.store.sqlite.account import doubts, holdings
from execsvc.store.sqlite.account.account_records import AccountRecords
from execsvc.store.sqlite.bot import abandonment
from execsvc.store.sqlite.bot.bot_records import BotRecords
from execsvc.store.sqlite.database import FencedConnection, in_memory


@dataclass
class Memory:
    """The records themselves, which several stores may share."""

    bots: dict[str, FencedConnection] = field(default_factory=dict)
    accounts: dict[str, FencedConnection] = field(default_factory=dict)
    turns: dict[str, InMemoryTurn] = field(default_factory=dict)
    """The turns that are taken, by account."""
    pauses: dict[str, InMemoryPause] = field(default_factory=dict)


class InMemoryStore:
    """Bots and accounts of one process, empty at first and gone with it; no service claims an account."""

    def __init__(self, memory: Memory | None = None) -> None:
        self.memory = Memory() if memory is None else memory
        self.owners: dict[str, InMemoryLedger] = {}
        """The ledgers that are open here, by bot."""

    def bot(self, bot_id: str, *, reports: bool = False) -> InMemoryLedger:
        """The records of ``bot_id``, to be opened."""
        return InMemoryLedger(self, bot_id, reports)

    def account(self, key_id: str) -> InMemoryJournal:
        """The records of the account ``key_id``, made at their first use."""
        return InMemoryJournal(self, key_id)

    def pause(self, key_id: str) -> InMemoryPause:
        """The times until which the account ``key_id`` is to be left alone."""
        return self.memory.pauses.setdefault(key_id, InMemoryPause())


class InMemoryLedger(BotRecords):
    """The records of one bot of ``store``, with one owner at a time."""

    def __init__(self, store: InMemoryStore, bot_id: str, reports: bool = False) -> None:
        super().__init__(bot_id, reports)
        self._store = store
        self._positions: dict[Binding, Position] = {}
        """The positions that were read since a row last changed."""
        self._changes = -1
        """The number of changed rows at which these were read."""

    def open(self) -> None:
        """Become the owner of the records. Raises LedgerBusy while another object is."""
        if self._store.owners.setdefault(self.bot_id, self) is not self:
            raise LedgerBusy(f"the records of {self.bot_id} are in use", os.getpid())
        bots = self._store.memory.bots
        if self.bot_id not in bots:
            first = "INSERT INTO bot (id, bot_id) VALUES (1, ?)"
            bots[self.bot_id] = in_memory("bot/bot_ledger.sql", first, (self.bot_id,))
        self._begin(bots[self.bot_id])

    def close(self) -> None:
        """Give up the ownership; the store keeps the records."""
        self._connection = None
        if self._store.owners.get(self.bot_id) is self:
            del self._store.owners[self.bot_id]

    def is_owned_by(self, pid: int) -> bool:
        """True for this process while the records have an owner."""
        return pid == os.getpid() and self.bot_id in self._store.owners

    def position(self, binding: Binding) -> Position:
        """The position of the bot under ``binding``, read again once any row has changed."""
        connection = self.connection
        if connection.in_transaction:
            return super().position(binding)  # what is not committed may never be
        if connection.total_changes != self._changes:
            self._positions.clear()
            self._changes = connection.total_changes
        if binding not in self._positions:
            self._positions[binding] = super().position(binding)
        return self._positions[binding]

    def keep_state(self, strategy: str, state: str | None, at: Moment | None = None) -> None:
        """Record the state of ``strategy``, which changes no position."""
        before = self.connection.total_changes
        super().keep_state(strategy, state, at)
        if before == self._changes:
            self._changes = self.connection.total_changes

    def make_room(self) -> None:
        """Do nothing: there is no disk that could be full."""

    def may_reenter(self) -> bool:
        """False: a bot that is only replayed is not stopped and started."""
        return False

    def _accounts(self) -> Iterator[closing[InMemoryJournal]]:
        for key_id in abandonment.accounts_of(self):
            if key_id in self._store.memory.accounts:
                yield closing(self._store.account(key_id))


class InMemoryJournal(AccountRecords):
    """The records of one account of ``store``."""

    def __init__(self, store: InMemoryStore, key_id: str) -> None:
        super().__init__(key_id)
        self._store = store
        self.turn = InMemoryTurn(store.memory.turns, key_id)

    def close(self) -> None:
        """Release the turn; the store keeps the records."""
        self._connection = None
        self.turn.close()

    def _connect(self) -> FencedConnection:
        accounts = self._store.memory.accounts
        if self.key_id not in accounts:
            first = "INSERT INTO account VALUES (1, ?)"
            accounts[self.key_id] = in_memory("account/account_journal.sql", first, (self.key_id,))
        return accounts[self.key_id]

    def open_positions(self) -> list[OpenPosition]:
        """The open positions of bots that ever bought on the account, without dust."""
        bots = self._store.memory.bots
        return [
            position
            for bot_id in doubts.buyers(self.connection)
            if bot_id in bots
            for position in doubts.open_in(bots[bot_id], bot_id, self.key_id)
        ]

    def is_of_another_machine(self) -> bool:
        """False: nothing is kept from an earlier time."""
        return False

    def _tracked(self, asset: str) -> Decimal:
        return self._tracked_by(self._store.memory.bots, asset)

    def _tracked_by(self, bot_ids: Iterable[str], asset: str) -> Decimal:
        kept = self._store.memory.bots
        bots = [kept[bot_id] for bot_id in bot_ids if bot_id in kept]
        return exact_sum(ZERO, *(holdings.tracked_in(bot, self.key_id, asset) for bot in bots))


class InMemoryTurn:
    """The turn of the account ``key_id``; ``taken`` are the taken turns of all accounts."""

    def __init__(self, taken: dict[str, InMemoryTurn], key_id: str) -> None:
        self._taken = taken
        self._key_id = key_id

    def try_acquire(self) -> bool:
        """Take the turn if it is free."""
        return self._taken.setdefault(self._key_id, self) is self

    def release(self) -> None:
        """Release the turn."""
        if self._taken.get(self._key_id) is self:
            del self._taken[self._key_id]

    def close(self) -> None:
        """Release the turn."""
        self.release()


class InMemoryPause:
    """The pauses of an account, by the monotonic clock of the machine."""

    def __init__(self) -> None:
        self._paused_until: float | None = None
        self._banned_until: float | None = None

    def remaining(self) -> float:
        """Seconds left of the pause; negative: seconds since it ended; -inf: there was none."""
        return _left(self._paused_until)

    def pause(self, seconds: float) -> None:
        """Leave the account alone for ``seconds`` from now on; a longer pause in force stays."""
        self._paused_until = _later(self._paused_until, seconds)

    def banned(self) -> float:
        """Seconds left of the ban, in the form of :meth:`remaining`."""
        return _left(self._banned_until)

    def ban(self, seconds: float, why: str) -> None:
        """Read nothing for ``seconds`` from now on; a longer ban in force stays."""
        self._banned_until = _later(self._banned_until, seconds)


def _left(until: float | None) -> float:
    return NEVER_PAUSED if until is None else until - SYSTEM.monotonic()


def _later(until: float | None, seconds: float) -> float:
    return max(SYSTEM.monotonic() + seconds, NEVER_PAUSED if until is None else until)
