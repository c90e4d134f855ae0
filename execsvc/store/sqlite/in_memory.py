"""Ledger and journal of a bot that is only replayed: the real ones, without a disk or a lock."""

from __future__ import annotations

from decimal import Decimal

from execsvc.model.bot import Binding
from execsvc.model.market import ZERO
from execsvc.store.sqlite.account_journal import AccountJournal
from execsvc.store.sqlite.account_pause import NEVER_PAUSED
from execsvc.store.sqlite.bot_ledger import BotLedger
from execsvc.store.sqlite.database import in_memory
from execsvc.store.sqlite.file_lock import Turn


class InMemoryLedger(BotLedger):
    """A ledger that is empty at first and gone at the end; open from the beginning."""

    def __init__(self, bot_id: str) -> None:
        self.bot_id = bot_id
        first = "INSERT INTO bot (id, bot_id) VALUES (1, ?)"
        self._connection = in_memory("bot_ledger.sql", first, (bot_id,))
        self._add_tables()

    def make_room(self) -> None:
        """There is no disk that could be full."""

    def may_reenter(self) -> bool:
        """Nobody stops and starts a replayed bot."""
        return False


class InMemoryJournal(AccountJournal):
    """The journal of an account on which there is one bot, that of ``ledger``."""

    def __init__(self, ledger: BotLedger, binding: Binding) -> None:
        self.key_id = binding.key_id
        self.turn: Turn = _AlwaysOurs()
        self._ledger = ledger
        self._binding = binding
        first = "INSERT INTO account VALUES (1, ?)"
        self._connection = in_memory("account_journal.sql", first, (binding.key_id,))
        self._add_younger()

    def tracked_by_all(self, asset: str) -> Decimal:
        """What the one bot tracks."""
        return self._ledger.position(self._binding).tracked

    def not_to_be_spent(self, coin: str) -> Decimal:
        """Nothing: the one bot never tracks the quote that it spends."""
        return ZERO


class NeverPaused:
    """A pause that nobody ever asks for."""

    def remaining(self) -> float:
        """There was none."""
        return NEVER_PAUSED

    def pause(self, seconds: float) -> None:
        """Nobody else is there to be left alone."""

    def banned(self) -> float:
        """There was no ban."""
        return NEVER_PAUSED

    def ban(self, seconds: float, why: str) -> None:
        """Nobody else is there to be let in."""


class _AlwaysOurs:
    def try_acquire(self) -> bool:
        return True

    def release(self) -> None:
        """Nobody waits for it."""

    def close(self) -> None:
        """There is nothing to close."""
