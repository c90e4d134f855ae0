"""A strategy's report of its last tick: the reason for an entry, or for none."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from execsvc.model.market import ZERO, plain


class Diagnostics(NamedTuple):
    """One tick as its strategy judged the market; a member that does not apply has its default."""

    judged: bool = False
    """True when the tick judged whether a signal for an entry begins."""
    missing: str | None = None
    """The first condition for a signal that was not met, of a tick that ``judged`` and found none."""
    signal: str | None = None
    """The signal that began at this tick: its side and its kind."""
    ended: str | None = None
    """The end that a signal of an earlier tick came to at this one."""
    refused: str | None = None
    """The reason why an entry that the strategy asked for was refused."""
    window_cut: bool = False
    """True when the public trades that were read did not reach back as far as the strategy needs."""
    bought: Decimal = ZERO
    """Volume of buying takers in the strategy's window, in quote."""
    sold: Decimal = ZERO
    """Volume of selling takers, in quote."""

    def shown(self) -> dict[str, str | bool]:
        """The members that apply to the tick, as JSON; volumes are decimal strings."""
        if self is NONE:
            return {}
        members = self._asdict().items()
        return {name: _shown(value) for name, value in members if value not in (None, False, ZERO)}


NONE = Diagnostics()
"""The diagnostics of a strategy that reports none, and of a tick without anything to report."""


def _shown(value: object) -> str | bool:
    """``value`` as JSON; text for any other value that a strategy has put there."""
    if isinstance(value, Decimal):
        return plain(value)
    return value if isinstance(value, bool) else str(value)
