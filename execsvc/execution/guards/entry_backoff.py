"""The guard that keeps a bot's entries away after several in a row that came to nothing."""

from __future__ import annotations

from datetime import timedelta

from execsvc.clock import iso, monotonic, seconds_since
from execsvc.errors import LedgerFailed
from execsvc.execution.guards.decisions import Trip, not_known
from execsvc.execution.guards.limits import GuardName
from execsvc.execution.guards.tripped_guards import TrippedGuards
from execsvc.model.bot import Binding
from execsvc.store.bot_facts import Unfilled
from execsvc.store.bot_store import BotStore

FREE_ENTRIES = 3
"""Entries in a row of which nothing was filled, until the next one has to wait."""
FIRST_DELAY = 5.0
LONGEST_DELAY = 300.0
"""Seconds."""
MOST_COUNTED = 12
"""Entries in a row after which the wait is certainly the longest."""

_GUARD = GuardName.ENTRY_BACKOFF


def delay(unfilled: int) -> float:
    """Seconds between the last of so many ``unfilled`` entries in a row and the next entry.

    >>> [delay(count) for count in (2, 3, 4, 5, 9)]
    [0.0, 5.0, 10.0, 20.0, 300.0]
    """
    if unfilled < FREE_ENTRIES:
        return 0.0
    steps = min(unfilled, MOST_COUNTED) - FREE_ENTRIES
    return min(FIRST_DELAY * 2.0**steps, LONGEST_DELAY)


def left(unfilled: int, passed: float) -> float:
    """Seconds of the wait that are left ``passed`` seconds after the last entry ended."""
    return max(delay(unfilled) - passed, 0.0)


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

    def check(self) -> Trip | None:
        """Update the guard; the reason to refuse an entry now, None when it may go out."""
        try:
            found = self._ledger.unfilled_entries(self._binding, MOST_COUNTED)
        except LedgerFailed as fault:
            return not_known(_GUARD, "what came of the last entries is not known", fault)
        if found.number < FREE_ENTRIES or found.ended is None:
            self._tripped.clear(_GUARD)
            return None
        if found.last_order != self._last_order:
            wait = left(found.number, seconds_since(found.ended))
            self._last_order, self._free_at = found.last_order, monotonic() + wait
        trip = Trip(_GUARD, self._detail(found))
        self._tripped.restate(_GUARD, trip)
        return trip if monotonic() < self._free_at else None

    def _detail(self, found: Unfilled) -> str:
        assert found.ended_at is not None, "an entry that ended has a time"
        wait = delay(found.number)
        free = iso(found.ended_at + timedelta(seconds=wait))
        many = f"{found.number} or more" if found.number == MOST_COUNTED else found.number
        text = f"nothing was filled of {many} entries in a row, the next one waits until {free}"
        return f"{text} (the last: {self._reason})" if self._reason else text
