"""How a ccxt unified order is read: what was filled, at what price, for what fee."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from execsvc.errors import OutcomeUnknown
from execsvc.model.market import SMALLEST, ZERO, Number, Quantity, exact_sum, plain
from execsvc.model.order import Fill, Side

FINAL_STATUSES = frozenset({"closed", "canceled", "expired", "rejected"})
ALMOST = Decimal("0.999999")
"""The part of a quantity that went through floats which is all of it."""


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
    trades: Any = None


class _Trade(BaseModel):
    """One of the trades that filled an order."""

    amount: Quantity
    price: Quantity


def read_details(details: Any, amount: Decimal, side: Side, symbol: str) -> Fill:
    """The final fill that a ccxt unified order states, of an order of ``amount`` base units.

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
    base_fee, quote_fee = _fees(order, order.filled, *symbol.split("/"))
    if base_fee is None and side is Side.SELL:
        base_fee = ZERO  # what a sell pays it pays in what it brings in
    average, priced_by = _price(order, order.filled)
    return Fill(
        filled=order.filled,
        average=average,
        cost=order.cost,
        base_fee=base_fee if order.filled else ZERO,
        quote_fee=quote_fee,
        exchange_id=order.id,
        priced_by=priced_by,
    )


def _price(order: _Details, filled: Decimal) -> tuple[Decimal | None, str | None]:
    """The average price, and what it was taken from where the order does not name it."""
    if order.average or not filled:
        return order.average or None, None
    if order.cost:
        return _quotient(order.cost, filled), "its cost"
    trades = _trades(order.trades)
    traded = exact_sum(*(trade.amount for trade in trades))
    if trades and traded * ALMOST <= filled and filled * ALMOST <= traded:
        cost = sum((trade.amount * trade.price for trade in trades), ZERO)
        return _quotient(cost, traded), "its trades"
    return None, None


def _trades(listed: Any) -> list[_Trade]:
    """The trades that filled the order; none when one of them cannot be read."""
    try:
        return [_Trade.model_validate(trade) for trade in listed or []]
    except (ValidationError, TypeError):
        return []


def _quotient(cost: Decimal, quantity: Decimal) -> Decimal | None:
    price = cost / quantity
    return price if price >= SMALLEST else None


def _fees(
    order: _Details, filled: Decimal, base: str, quote: str
) -> tuple[Decimal | None, Decimal]:
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
    plausible = ZERO <= spent[base] < filled
    return spent[base] if plausible else None, max(spent[quote], ZERO)
