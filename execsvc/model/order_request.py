"""An order as it is asked for, before its quantity is known."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import NamedTuple

from execsvc.model.order import Side


class Purpose(str, Enum):
    """The effect of an order on the bot's position."""

    ENTRY = "ENTRY"
    """Buys: opens a position or adds to one."""
    EXIT = "EXIT"
    """Sells from the tracked quantity."""
    SHORT_ENTRY = "SHORT_ENTRY"
    """Sells base that the user owns."""
    SHORT_EXIT = "SHORT_EXIT"
    """Buys back base that was sold for a short."""
    LIQUIDATION = "LIQUIDATION"
    """As EXIT, where the bot stops: no stop of its process cuts it short."""

    @property
    def side(self) -> Side:
        """The direction of the order."""
        return Side.BUY if self in (Purpose.ENTRY, Purpose.SHORT_EXIT) else Side.SELL

    @property
    def opens(self) -> bool:
        """True for an entry, which limits may refuse."""
        return self in (Purpose.ENTRY, Purpose.SHORT_ENTRY)

    @property
    def outlasts_stop(self) -> bool:
        """True for an order whose waits only a stop that keeps the position cuts short."""
        return self is Purpose.LIQUIDATION

    @property
    def is_short(self) -> bool:
        """True for an order that never touches the tracked quantity."""
        return self in (Purpose.SHORT_ENTRY, Purpose.SHORT_EXIT)

    @property
    def sells_tracked(self) -> bool:
        """True for an order that sells from the tracked quantity."""
        return self in (Purpose.EXIT, Purpose.LIQUIDATION)


class OrderRequest(NamedTuple):
    """An order that a strategy, or a liquidation, asks for; its side follows from its ``purpose``.

    ``quantity`` is the most that is wanted, in base units. ``strategy_state`` is kept together with
    the outcome of the order; None leaves the state as it is.
    """

    purpose: Purpose
    quantity: Decimal
    reason: str
    strategy_state: str | None = None
