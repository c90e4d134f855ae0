"""The guard that keeps a bot's entries away after several in a row that came to nothing."""

from __future__ import annotations

from datetime import timedelta

from execsvc.clock import iso, monotonic, seconds_since
from execsvc.errors import LedgerFailed
from execsvc.execution import backoff
from execsvc.execution.guards.decisions import Trip, not_known
from execsvc.execution.guards.limits import Guard
from execsvc.execution.guards.tripped_guards import TrippedGuards
from execsvc.model.bot import Binding
from execsvc.store.bot_facts import Unfilled
from execsvc.store.bot_store import BotStore

_GUARD = Guard.ENTRY_BACKOFF


class EntryBackoff:
    """Counts refusals, empty fills and outcomes settled as not executed, by the bot's ledger.

    So the count survives the process, and covers orders that another bot has settled. Setting a
    clock does not change the wait.
    """

    def __init__(self, ledger: BotStore, binding: Binding, tripped: TrippedGuards) -> None:
        self._ledger = ledger
        self._binding = binding
        self._tripped = tripped
        self._last_order: str | None = None
        self._free_at = 0.0
        self._reason = ""

    def note(self, reason: str) -> None:
        """Record that an entry came to nothing, for ``reason``."""
        self._reason = reason

    def judge(self) -> Trip | None:
        """Update the guard; the reason to refuse an entry now, None when it may go out."""
        try:
            found = self._ledger.unfilled_entries(self._binding, backoff.MOST_COUNTED)
        except LedgerFailed as fault:
            return not_known(_GUARD, "what came of the last entries is not known", fault)
        if found.number < backoff.PATIENCE or found.ended is None:
            self._tripped.clear(_GUARD)
            return None
        if found.last_order != self._last_order:
            wait = backoff.left(found.number, seconds_since(found.ended))
            self._last_order, self._free_at = found.last_order, monotonic() + wait
        trip = Trip(_GUARD, self._detail(found))
        self._tripped.restate(_GUARD, trip)
        return trip if monotonic() < self._free_at else None

    def _detail(self, found: Unfilled) -> str:
        assert found.ended_at is not None, "an entry that ended has a time"
        wait = backoff.delay(found.number)
        free = iso(found.ended_at + timedelta(seconds=wait))
        many = f"{found.number} or more" if found.number == backoff.MOST_COUNTED else found.number
        text = f"nothing was filled of {many} entries in a row, the next one waits until {free}"
        return f"{text} (the last: {self._reason})" if self._reason else text
