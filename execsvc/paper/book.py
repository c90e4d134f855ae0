"""The fill of a market order by an order book."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from execsvc.model.market import ZERO, Depth
from execsvc.model.order import Side


class Walk(NamedTuple):
    """The result of a walk through the book: base units filled, and the quote that they cost."""

    filled: Decimal
    cost: Decimal


def walk(depth: Depth, side: Side, amount: Decimal) -> Walk:
    """Take ``amount`` base units from the levels that face ``side``, best first.

    A book that is thinner than ``amount`` fills what it has.
    """
    filled, cost = ZERO, ZERO
    for level in depth.asks if side is Side.BUY else depth.bids:
        taken = min(level.amount, amount - filled)
        filled += taken
        cost += taken * level.price
        if filled == amount:
            break
    return Walk(filled, cost)
