"""The lines of a grid, and the place of a price among them. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection
from decimal import Decimal

from execsvc.strategies.grid_v1.params import GridParams


class Levels:
    """``count`` even levels to buy at, and one line above them at which only a sale is made.

    Level 0 is the lower price of the range, line ``count`` the upper one.
    """

    def __init__(self, params: GridParams) -> None:
        self.count = params.grid_count
        width = params.upper_price - params.lower_price
        between = (params.lower_price + width * n / self.count for n in range(1, self.count))
        self.lines = (params.lower_price, *between, params.upper_price)
        self._half = width / self.count / 2

    def below(self, price: Decimal) -> int:
        """The number of lines below ``price``: 0 at or below the range, ``count + 1`` above it."""
        return bisect_left(self.lines, price)

    def crossed(self, before: int, now: int) -> list[int]:
        """The levels that a price has crossed downwards, the highest first.

        ``before`` and ``now`` are results of :meth:`below`. A price that reaches a level from above
        has crossed the level.
        """
        return list(range(min(before, self.count) - 1, now - 1, -1))

    def due(self, held: Collection[int], price: Decimal) -> list[int]:
        """The ``held`` levels whose part is to be sold: ``price`` is one level higher."""
        return [level for level in held if price >= self.lines[level + 1]]

    def buys_at(self, level: int, best_ask: Decimal) -> bool:
        """True unless a purchase costs more than half a level above the price of its level."""
        return best_ask <= self.lines[level] + self._half

    def sells_at(self, level: int, best_bid: Decimal) -> bool:
        """True unless a sale brings less than half a level below the price of the next level."""
        return best_bid >= self.lines[level + 1] - self._half

    def nearest(self, price: Decimal) -> int:
        """The level nearest to ``price``, the lower one of two."""
        return min(range(self.count), key=lambda level: abs(self.lines[level] - price))
