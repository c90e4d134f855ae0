"""The position of one bot as far as the supervisor knows it: by its ledger."""

from __future__ import annotations

from typing import NamedTuple

from execsvc.store.bot_state import LedgerState


class KnownPosition(NamedTuple):
    """The ledger of a bot as it was read last, and the faults that keep it from being read or closed."""

    ledger: LedgerState | None = None
    current: bool = False
    """True from a read of the ledger until a process works on it, or it may have been changed by hand."""
    unreadable: str | None = None
    """The reason why the ledger could not be read; the position is unknown then."""
    outage: str | None = None
    """The reason of the latest end of a process that could not read or write the ledger."""
    liquidation_failed: bool = False
    not_abandoned: str | None = None
    """The reason why the last try to book that its position is given up has failed."""

    @property
    def is_open(self) -> bool:
        """True unless the ledger shows for certain that the bot is flat."""
        return self.unreadable is not None or (self.ledger is not None and self.ledger.is_open)

    @property
    def unavailable(self) -> str | None:
        """The reason why the ledger cannot be read or written at present; None for a damaged ledger."""
        if self.unreadable is not None and not self.current:
            return self.unreadable
        return self.outage
