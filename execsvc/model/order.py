"""An order: what was meant, what came of it, and how the exchange's answer is read."""

from __future__ import annotations

import uuid
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from execsvc.errors import OutcomeUnknown
from execsvc.model.market import ZERO, Number, Price, Quantity, exact_sum, plain

FINAL_STATUSES = frozenset({"closed", "canceled", "expired", "rejected"})
LARGEST_BASE_FEE = Decimal("0.01")
"""The largest part of a buy that its fee in base may take."""


class Side(str, Enum):
    """Which way an order goes."""

    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        """+1 where base comes in, -1 where it goes out."""
        return 1 if self is Side.BUY else -1


class OrderState(str, Enum):
    """Where an order stands."""

    IN_FLIGHT = "IN_FLIGHT"
    """Recorded; the request may be under way, or its sender died."""
    UNKNOWN = "UNKNOWN"
    """The request ended without saying what became of the order."""
    ARRIVING = "ARRIVING"
    """Filled, but no fee was reported: a balance has to say what arrived."""
    EXECUTED = "EXECUTED"
    """Final; filled in full or in part."""
    NOT_EXECUTED = "NOT_EXECUTED"
    """Final; nothing was filled."""
    CONTESTED = "CONTESTED"
    """Booked on the safe side; an operator has to say what was filled."""

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
    OrderState.ARRIVING: frozenset({OrderState.EXECUTED}),
    OrderState.CONTESTED: frozenset({OrderState.EXECUTED, OrderState.NOT_EXECUTED}),
    OrderState.EXECUTED: frozenset(),
    OrderState.NOT_EXECUTED: frozenset(),
}


class Fill(BaseModel):
    """What was filled of an order, in base units and quote.

    ``base_fee`` is None while the exchange has not said what fee it took.
    """

    model_config = ConfigDict(frozen=True)

    filled: Quantity
    average: Price | None = None
    cost: Quantity | None = None
    base_fee: Quantity | None = ZERO
    quote_fee: Quantity = ZERO
    exchange_id: str | None = None

    @property
    def price(self) -> Decimal | None:
        """Quote per base: the average, else cost over filled."""
        if self.average is not None:
            return self.average
        return self.cost / self.filled if self.cost and self.filled else None

    def base_change(self, side: Side) -> Decimal:
        """By how much the order changed the base balance; the cautious end while the fee is open."""
        if side is Side.SELL:
            return exact_sum(-self.filled, -(self.base_fee or ZERO))
        fee = self.filled * LARGEST_BASE_FEE if self.base_fee is None else self.base_fee
        return exact_sum(self.filled, -fee)


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
    """It sells base that the user owns, or buys that back; it never touches what is tracked."""


def new_client_order_id() -> str:
    """An id of our own for one order intent: 32 characters, never used twice."""
    return uuid.uuid4().hex


class _Fee(BaseModel):
    currency: str | None = None
    cost: Number | None = None


class _Details(BaseModel):
    """A ccxt unified order, as far as it is needed."""

    id: str | None = None
    status: str | None = None
    filled: Quantity | None = None
    average: Quantity | None = None
    cost: Quantity | None = None
    fee: _Fee | None = None
    fees: list[_Fee] | None = Field(default=None)


def read_details(details: Any, amount: Decimal, base: str, quote: str) -> Fill:
    """The final fill that a ccxt unified order states.

    Raises OutcomeUnknown, with ``filled`` as a lower bound, for whatever is not final.
    """
    if not isinstance(details, dict):
        raise OutcomeUnknown("answer has no details")
    if isinstance(details.get("id"), int):
        details = {**details, "id": str(details["id"])}
    try:
        order = _Details.model_validate(details)
    except ValidationError as error:
        member = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise OutcomeUnknown(f"details.{member} is unreadable") from None
    if order.filled is None:
        raise OutcomeUnknown(f"details.filled is null, status {order.status}")
    if order.filled > amount:
        raise OutcomeUnknown("details.filled is more than was ordered", plain(amount))
    if order.status not in FINAL_STATUSES:
        raise OutcomeUnknown(f"details.status is {order.status}", plain(order.filled))
    base_fee, quote_fee = _fees(order, base, quote)
    return Fill(
        filled=order.filled,
        average=order.average or None,
        cost=order.cost,
        base_fee=base_fee if order.filled else ZERO,
        quote_fee=quote_fee,
        exchange_id=order.id,
    )


def _fees(order: _Details, base: str, quote: str) -> tuple[Decimal | None, Decimal]:
    """Fee in base (None when no fee is reported, or none that can be) and fee in quote."""
    listed = [fee for fee in order.fees or [] if fee.cost is not None]
    if not listed and order.fee and order.fee.cost is not None:
        listed = [order.fee]
    if not listed or any(not fee.currency for fee in listed):
        return None, ZERO
    spent = {base: ZERO, quote: ZERO}
    names = {base.upper(): base, quote.upper(): quote}
    for fee in listed:
        asset = names.get((fee.currency or "").upper())
        if asset is not None:
            spent[asset] += fee.cost or ZERO
    # A fee that eats all of the fill was reported in some other unit, and one that adds to it
    # may be a mere sign: what arrived has to tell.
    plausible = ZERO <= spent[base] < (order.filled or ZERO)
    return spent[base] if plausible else None, max(spent[quote], ZERO)
