"""An order: its request, its intent, and its outcome."""

from __future__ import annotations

import uuid
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from execsvc.model.market import ZERO, Price, Quantity, exact_sum

LARGEST_BASE_FEE = Decimal("0.01")
"""The largest part of a buy that its fee in base may take."""


class Side(str, Enum):
    """The direction of an order."""

    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        """+1 where base comes in, -1 where it goes out."""
        return 1 if self is Side.BUY else -1


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


class OrderState(str, Enum):
    """The state of an order."""

    IN_FLIGHT = "IN_FLIGHT"
    """Recorded; the request may be under way, or its sender died."""
    UNKNOWN = "UNKNOWN"
    """The request ended without stating the outcome of the order."""
    ARRIVING = "ARRIVING"
    """Final, but the answer leaves the fee or the price open, or contradicts itself: a balance
    decides.
    """
    EXECUTED = "EXECUTED"
    """Final; filled in full or in part."""
    NOT_EXECUTED = "NOT_EXECUTED"
    """Final; nothing was filled."""
    CONTESTED = "CONTESTED"
    """Booked on the safe side; an operator decides how much was filled."""

    @property
    def unsettled(self) -> bool:
        """True while no other order may go out for the account."""
        return self in _UNSETTLED


_UNSETTLED = frozenset({OrderState.IN_FLIGHT, OrderState.UNKNOWN, OrderState.ARRIVING})

TRANSITIONS: dict[OrderState, frozenset[OrderState]] = {
    OrderState.IN_FLIGHT: frozenset(OrderState) - {OrderState.IN_FLIGHT},
    OrderState.UNKNOWN: frozenset(
        {OrderState.ARRIVING, OrderState.EXECUTED, OrderState.NOT_EXECUTED, OrderState.CONTESTED}
    ),
    OrderState.ARRIVING: frozenset(
        {OrderState.EXECUTED, OrderState.NOT_EXECUTED, OrderState.CONTESTED}
    ),
    OrderState.CONTESTED: frozenset({OrderState.EXECUTED, OrderState.NOT_EXECUTED}),
    OrderState.EXECUTED: frozenset(),
    OrderState.NOT_EXECUTED: frozenset(),
}


class Fill(BaseModel):
    """The filled part of an order, in base units and quote.

    ``base_fee`` is None while the exchange has not stated its fee.
    """

    model_config = ConfigDict(frozen=True)

    filled: Quantity
    average: Price | None = None
    cost: Quantity | None = None
    base_fee: Quantity | None = ZERO
    quote_fee: Quantity = ZERO
    exchange_id: str | None = None
    priced_by: str | None = None
    """The source of the average, where the exchange stated none; not kept in a ledger."""
    other_fees: tuple[tuple[str, Decimal], ...] = ()
    """Fees in coins that are neither base nor quote, as asset and amount; kept apart (ledger/fees)."""

    @property
    def price(self) -> Decimal | None:
        """Quote per base: the average, else cost over filled."""
        if self.average is not None:
            return self.average
        return self.cost / self.filled if self.cost and self.filled else None

    def base_change(self, side: Side) -> Decimal:
        """The change of the base balance by the order; the cautious end while the fee is open."""
        if side is Side.SELL:
            return exact_sum(-self.filled, -(self.base_fee or ZERO))
        fee = self.filled * LARGEST_BASE_FEE if self.base_fee is None else self.base_fee
        return exact_sum(self.filled, -fee)


NOTHING_KNOWN = Fill(filled=ZERO, base_fee=None)
"""The fill of an order whose answer is final and cannot be true."""


class Intent(BaseModel):
    """An order that is about to be sent, as its account's journal keeps it."""

    model_config = ConfigDict(frozen=True)

    client_order_id: str
    bot_id: str
    key_id: str
    symbol: str
    side: Side
    amount: Decimal
    reason: str
    price: Decimal | None
    """Ticker price when it was sent; None when there was no ticker."""
    baseline_base: Decimal
    baseline_quote: Decimal
    created_at: datetime
    short: bool = False
    """True when the order sells base that the user owns, or buys that back; never touches what is
    tracked.
    """

    @property
    def opens(self) -> bool:
        """True for an entry: what it pays or earns is the entry price of a position."""
        return (self.side is Side.BUY) is not self.short

    def lacks_price(self, fill: Fill) -> bool:
        """True when ``fill`` opens or adds to a position at a price that is not known."""
        return self.opens and fill.filled > 0 and fill.price is None

    def state_after(self, fill: Fill) -> OrderState:
        """The state of the order once the exchange has stated ``fill`` as final."""
        if fill.base_fee is None or self.lacks_price(fill):
            return OrderState.ARRIVING
        return OrderState.EXECUTED if fill.filled > 0 else OrderState.NOT_EXECUTED


def new_client_order_id() -> str:
    """An id of our own for one order intent: 32 characters, never used twice."""
    return uuid.uuid4().hex
