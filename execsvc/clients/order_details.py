"""Reads a ccxt unified order: the filled quantity, the price, the fee.

An order that is final is believed where its parts can all be true. An adapter that counts an order
in quote, or takes its first trade for all of it, is detected by a part that does not fit.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple

from pydantic import BaseModel, Field, ValidationError

from execsvc.errors import OutcomeContradicted, OutcomeUnknown
from execsvc.model.market import SMALLEST, ZERO, Number, Quantity, Symbol, exact_sum, plain
from execsvc.model.order import Fill, Side

FINAL_STATUSES = frozenset({"closed", "canceled", "expired", "rejected"})
_CUT_SHORT = frozenset({"canceled", "expired"})
"""The final statuses of an order that may be filled in part."""
ALMOST = Decimal("0.999999")
"""The part of a quantity that counts as all of it, after floats."""
ROUNDED = Decimal("0.99")
"""The part of an amount to which an adapter may round it on its own, for the market's step."""
_SAME_COST = Decimal("0.02")
"""The largest part by which the cost may deviate from filled times average."""


class _Fee(BaseModel):
    currency: str | None = None
    cost: Number | None = None


class _Details(BaseModel):
    """A ccxt unified order, as far as it is needed."""

    id: str | None = None
    status: str | None = None
    amount: Quantity | None = None
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

    The fee in base is open (None) where it is not certain, and where the adapter has rounded the
    amount: the balance decides. Raises OutcomeUnknown, with ``filled`` as a lower bound, for an
    order that is not final, and OutcomeContradicted for one that is final and cannot be true.
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
    filled = min(order.filled, amount)
    if order.status not in FINAL_STATUSES:
        at_least = filled if order.filled * ALMOST <= amount else ZERO
        raise OutcomeUnknown(f"details.status is {order.status}", plain(at_least))
    contradiction = _contradiction(order, order.filled, amount)
    if contradiction is not None:
        raise OutcomeContradicted(f"details contradict themselves: {contradiction}")
    fees = _fees(order, filled, side, symbol)
    is_rounded = order.status == "closed" and filled < amount * ALMOST
    average, priced_by = _price(order, filled)
    return Fill(
        filled=filled,
        average=average,
        cost=order.cost,
        base_fee=None if is_rounded else fees.base,
        quote_fee=fees.quote,
        exchange_id=order.id,
        priced_by=priced_by,
        other_fees=fees.others,
    )


def _contradiction(order: _Details, filled: Decimal, amount: Decimal) -> str | None:
    """The contradiction in a final ``order`` of ``amount`` base units; None when there is none."""
    taken = amount if order.amount is None else order.amount
    if not amount * ROUNDED <= taken <= amount / ALMOST:
        return f"amount is {plain(taken)}, ordered were {plain(amount)}"
    whole = filled == 0 if order.status == "rejected" else filled >= taken * ALMOST
    if filled * ALMOST > taken or not (whole or order.status in _CUT_SHORT):
        return f"filled is {plain(filled)} of {plain(taken)}, status {order.status}"
    if order.cost and not filled:
        return f"cost is {plain(order.cost)}, filled is 0"
    if order.cost and order.average:
        worth = filled * order.average
        if abs(order.cost - worth) > worth * _SAME_COST:
            return (
                f"cost is {plain(order.cost)}, filled {plain(filled)} at an average of "
                f"{plain(order.average)}"
            )
    return None


def _price(order: _Details, filled: Decimal) -> tuple[Decimal | None, str | None]:
    """The average price, and its source where the order does not state it."""
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


class _Fees(NamedTuple):
    """The fees of an order: in base (None: not certain), in quote, in other coins."""

    base: Decimal | None
    quote: Decimal
    others: tuple[tuple[str, Decimal], ...] = ()


def _fees(order: _Details, filled: Decimal, side: Side, symbol: str) -> _Fees:
    """The fees of ``order``; the one in base is left open where it is in doubt.

    A coin that is neither base nor quote may be base under another name (XBT, BCHABC), and a buy
    without a fee may have paid one that was not reported to the adapter.
    """
    base, quote = Symbol.parse(symbol.upper())
    listed = [fee for fee in order.fees or [] if fee.cost is not None]
    if not listed and order.fee and order.fee.cost is not None:
        listed = [order.fee]
    if not filled:
        return _Fees(ZERO, ZERO)
    spent: dict[str, Decimal] = {}
    for fee in listed:
        asset = (fee.currency or "").upper()
        spent[asset] = spent.get(asset, ZERO) + (fee.cost or ZERO)
    in_base, in_quote = spent.pop(base, ZERO), max(spent.pop(quote, ZERO), ZERO)
    nameless = "" in spent
    others = tuple((asset, cost) for asset, cost in spent.items() if asset and cost > 0)
    # A fee as large as the fill was reported in some other unit, and one that adds to it
    # may only have the wrong sign: the balance decides.
    in_doubt = nameless or bool(others) or not ZERO <= in_base < filled
    if side is Side.BUY:
        in_doubt = in_doubt or (in_base == 0 and in_quote == 0)
    return _Fees(None if in_doubt else in_base, in_quote, others)
