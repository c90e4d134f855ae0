"""One order of a strategy, or of a liquidation, in as many parts as the exchange makes of it."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from execsvc.model.market import ZERO, exact_sum
from execsvc.model.order import Fill


class Placed(NamedTuple):
    """An order that was filled, at least partly, of ``wanted`` base units."""

    fill: Fill
    amount: Decimal
    wanted: Decimal

    @property
    def is_part(self) -> bool:
        """True when the order was smaller than wanted, and filled as ordered: the rest may be ordered."""
        return self.amount < self.wanted and self.fill.filled == self.amount


class Parts:
    """The parts that were filled of ``quantity`` base units, one order after the other."""

    def __init__(self, quantity: Decimal) -> None:
        self.left = quantity
        """Base units that are not filled yet."""
        self._fills: list[Fill] = []
        self._goes_on = True

    @property
    def goes_on(self) -> bool:
        """True while another part of what is left may be ordered."""
        return self._goes_on

    @property
    def is_empty(self) -> bool:
        """True while nothing was filled."""
        return not self._fills

    def add(self, placed: Placed) -> None:
        """Take the next part, which was filled at least partly."""
        self._fills.append(placed.fill)
        self.left = exact_sum(self.left, -placed.fill.filled)
        self._goes_on = placed.is_part and self.left > 0

    @property
    def fill(self) -> Fill:
        """All parts as one fill; there is at least one part."""
        return merged(self._fills)


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
