"""Orders joined to round trips: from flat into a position and out of it again."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from execsvc.model.market import ZERO
from execsvc.model.order import Side
from execsvc.store.orders import OrderRow


class RoundTrip(BaseModel):
    """One round trip.

    Amount in base, prices in quote per base, the money in quote.

    ``net`` is its result, fees in base valued at the exit price; ``gross`` is without fees.
    ``rule`` is the reason of the order that closed it, up to a colon.
    """

    model_config = ConfigDict(frozen=True)

    side: Side
    opened_at: datetime
    closed_at: datetime
    amount: Decimal
    entry_price: Decimal
    exit_price: Decimal
    gross: Decimal
    fees: Decimal
    net: Decimal
    reason: str
    rule: str

    @property
    def seconds(self) -> float:
        """The seconds for which the position was held."""
        return (self.closed_at - self.opened_at).total_seconds()


class RoundTrips:
    """Joins orders as they come."""

    def __init__(self) -> None:
        self.trips: list[RoundTrip] = []
        self._open: list[OrderRow] = []

    def add(self, order: OrderRow) -> None:
        """Take an order that filled."""
        self._open.append(order)

    @property
    def is_open(self) -> bool:
        """True while orders wait for one that closes the position they opened."""
        return bool(self._open)

    def close(self, at: datetime, mid: Decimal) -> None:
        """Close the open trip at its last order: there is no position any more.

        Where no order closed it (a sale that is not bought back) it is valued at ``mid``.
        """
        closing = [order for order in self._open if order.side is not self._open[0].side]
        if closing:
            last = closing[-1]
            self._close(
                last.settled_at or last.created_at, _average(closing), last.reason.partition(":")[0]
            )
        else:
            self._close(at, mid, "not bought back")

    def _close(self, at: datetime, price: Decimal, rule: str) -> None:
        orders, self._open = self._open, []
        entries = [order for order in orders if order.side is orders[0].side]
        fees = sum((fees_of(order) for order in orders), ZERO)
        quote = sum((_quote_change(order) for order in orders), ZERO)
        base = sum((order.fill.base_change(order.side) for order in orders), ZERO)
        net = quote + base * price
        self.trips.append(
            RoundTrip(
                side=orders[0].side,
                opened_at=orders[0].created_at,
                closed_at=at,
                amount=sum((order.fill.filled for order in entries), ZERO),
                entry_price=_average(entries),
                exit_price=price,
                gross=net + fees,
                fees=fees,
                net=net,
                reason=orders[0].reason,
                rule=rule,
            )
        )


def fees_of(order: OrderRow) -> Decimal:
    """The fees of an order, in quote; those in base at its own price."""
    return (order.fill.base_fee or ZERO) * (order.fill.price or ZERO) + order.fill.quote_fee


def _quote_change(order: OrderRow) -> Decimal:
    return -order.side.sign * (order.fill.cost or ZERO) - order.fill.quote_fee


def _average(orders: list[OrderRow]) -> Decimal:
    filled = sum((order.fill.filled for order in orders), ZERO)
    cost = sum((order.fill.cost or ZERO for order in orders), ZERO)
    return cost / filled
