"""The balances of one account on paper, and every event that moved them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from execsvc.errors import OrderRefused
from execsvc.model.market import ZERO, Depth, Symbol, plain
from execsvc.model.order import Fill
from execsvc.paper.terms import INSUFFICIENT, Terms
from execsvc.paper.trading import MarketOrder, trade


class Movement(NamedTuple):
    """One event's effect on one asset, in its own units; ``cause`` names the event."""

    at: datetime
    cause: str
    asset: str
    free_before: Decimal
    free_after: Decimal
    locked_before: Decimal
    locked_after: Decimal

    @property
    def change(self) -> Decimal:
        """The change of free and locked together."""
        return self.free_after + self.locked_after - self.free_before - self.locked_before


class PaperAccount:
    """The balances of one account at the paper exchange. Not safe for threads: its owner locks."""

    def __init__(self, balances: Mapping[str, Decimal]) -> None:
        self.initial: dict[str, Decimal] = dict(balances)
        self.movements: list[Movement] = []
        self._free: dict[str, Decimal] = dict(balances)
        self._locked: dict[str, Decimal] = {}

    @property
    def assets(self) -> list[str]:
        """The names of all assets ever held."""
        return list(self._free)

    def free(self, asset: str) -> Decimal:
        """The part of ``asset`` that can be traded."""
        return self._free.get(asset, ZERO)

    def locked(self, asset: str) -> Decimal:
        """The part of ``asset`` that is tied up elsewhere."""
        return self._locked.get(asset, ZERO)

    def total(self, asset: str) -> Decimal:
        """Free and locked together."""
        return self.free(asset) + self.locked(asset)

    def execute(
        self,
        depth: Depth,
        terms: Terms,
        order: MarketOrder,
        at: datetime,
        cause: str = "order",
    ) -> Fill:
        """Fill ``order`` from ``depth`` and book it.

        Raises as :func:`execsvc.paper.trading.trade` does, with nothing changed.
        """
        base, quote = Symbol.parse(depth.symbol)
        traded = trade(depth, terms, self.free(base), self.free(quote), order)
        self._move(at, cause, base, traded.free_base, self.locked(base))
        self._move(at, cause, quote, traded.free_quote, self.locked(quote))
        return traded.fill

    def deposit(self, asset: str, amount: Decimal, at: datetime, cause: str = "deposit") -> None:
        """Add ``amount`` of ``asset``; a negative amount is taken out. Raises OrderRefused."""
        self._move(at, cause, asset, self.free(asset) + amount, self.locked(asset))

    def lock(self, asset: str, amount: Decimal, at: datetime, cause: str = "lock") -> None:
        """Tie up ``amount`` of ``asset``; a negative amount is set free. Raises OrderRefused."""
        free, locked = self.free(asset) - amount, self.locked(asset) + amount
        self._move(at, cause, asset, free, locked)

    def _move(self, at: datetime, cause: str, asset: str, free: Decimal, locked: Decimal) -> None:
        if free < 0 or locked < 0:
            raise OrderRefused(f"{INSUFFICIENT} ({plain(self.free(asset))} {asset} free)")
        before = self.free(asset), self.locked(asset)
        if (free, locked) == before:
            return
        self._free[asset], self._locked[asset] = free, locked
        self.movements.append(Movement(at, cause, asset, before[0], free, before[1], locked))
