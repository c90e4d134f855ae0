"""One order of a strategy, or of a liquidation, in as many parts as the exchange makes of it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple

from execsvc.errors import OrderRefused, Unavailable
from execsvc.model.market import ZERO, exact_sum
from execsvc.model.order import Fill


class Placed(NamedTuple):
    """An order that was filled, at least partly, of ``wanted`` base units."""

    fill: Fill
    amount: Decimal
    wanted: Decimal

    @property
    def is_part(self) -> bool:
        """True when it was smaller than wanted, and filled as ordered: the rest may be ordered."""
        return self.amount < self.wanted and self.fill.filled == self.amount


def in_parts(amount: Decimal, place: Callable[[Decimal], Placed]) -> Fill:
    """What was filled of ``amount``; ``place`` orders the next part of what is left.

    Raises what ``place`` raises for the first part. A later part that fails leaves the rest to
    whoever wants it sold: what was filled has been filled.
    """
    fills: list[Fill] = []
    left = amount
    while True:
        try:
            placed = place(left)
        except (OrderRefused, Unavailable):
            if not fills:
                raise
            return merged(fills)
        fills.append(placed.fill)
        left = exact_sum(left, -placed.fill.filled)
        if not placed.is_part or left <= 0:
            return merged(fills)


def merged(fills: list[Fill]) -> Fill:
    """One fill that stands for ``fills``, of which there is at least one."""
    if len(fills) == 1:
        return fills[0]
    costs = [_cost(fill) for fill in fills]
    known_costs = [cost for cost in costs if cost is not None]
    fees = [fill.base_fee for fill in fills]
    known_fees = [fee for fee in fees if fee is not None]
    filled = exact_sum(*(fill.filled for fill in fills))
    cost = exact_sum(*known_costs) if len(known_costs) == len(costs) else None
    return Fill(
        filled=filled,
        average=cost / filled if cost and filled else None,
        cost=cost,
        base_fee=exact_sum(*known_fees) if len(known_fees) == len(fees) else None,
        quote_fee=exact_sum(ZERO, *(fill.quote_fee for fill in fills)),
        exchange_id=fills[-1].exchange_id,
    )


def _cost(fill: Fill) -> Decimal | None:
    if fill.cost is not None:
        return fill.cost
    return None if fill.price is None else fill.price * fill.filled
