"""The share of each level in the bot's position.

The ledger has the whole position; the state has the levels at which it was bought. Where the two do
not agree (an order that another process settled, coins that are gone, a rest that cannot be sold)
the ledger is right. A quantity that no level holds is sold along with the next sale. Pure.
"""

from __future__ import annotations

from decimal import Decimal

from execsvc.model.market import ZERO, Limits, exact_sum, round_down
from execsvc.model.order import Side
from execsvc.strategies.grid_v1.state import SentOrder

Held = dict[int, Decimal]
_DECIMALS = 18
"""Decimals of a part; rounded down, so that all parts together are never more than the whole."""
_REST = Decimal("0.1")
"""The part of a sale that counts as a rest, left to the next sale."""


def matched(held: Held, tracked: Decimal) -> Held:
    """``held`` with no more in all than ``tracked`` base units."""
    total = sum(held.values(), ZERO)
    if total <= tracked:
        return held
    return _scaled(held, tracked / total)


def after(held: Held, order: SentOrder, tracked: Decimal, limits: Limits, price: Decimal) -> Held:
    """``held`` once ``order`` has left ``tracked`` base units."""
    if order.side is Side.BUY:
        return _bought(held, order, tracked - order.before, limits, price)
    return _sold(held, order, tracked, limits, price)


def to_sell(held: Held, levels: list[int], tracked: Decimal) -> Decimal:
    """Base units to sell for ``levels``: the whole position less the parts of the other levels."""
    others = (-quantity for level, quantity in held.items() if level not in levels)
    return max(exact_sum(tracked, *others), ZERO)


def _bought(held: Held, order: SentOrder, gained: Decimal, limits: Limits, price: Decimal) -> Held:
    """The parts after a purchase: the highest of the order's levels get as much as each can sell
    again.
    """
    if gained <= 0:
        return held
    for count in range(len(order.levels), 0, -1):
        share = round_down(gained / count, _DECIMALS)
        if count == 1 or not _unsellable(share, limits, price):
            return {**held, **dict.fromkeys(order.levels[:count], share)}
    raise AssertionError("an order has a level")


def _sold(held: Held, order: SentOrder, tracked: Decimal, limits: Limits, price: Decimal) -> Held:
    """The parts after a sale: the order's levels are free again, unless a part worth selling is
    left.
    """
    levels = [level for level in order.levels if level in held]
    kept = {level: quantity for level, quantity in held.items() if level not in levels}
    total = sum((held[level] for level in levels), ZERO)
    left = min(tracked - sum(kept.values(), ZERO), total)
    if left <= total * _REST or _unsellable(left, limits, price):
        return kept
    return {**kept, **_scaled({level: held[level] for level in levels}, left / total)}


def _scaled(held: Held, factor: Decimal) -> Held:
    return {level: round_down(quantity * factor, _DECIMALS) for level, quantity in held.items()}


def _unsellable(amount: Decimal, limits: Limits, price: Decimal) -> bool:
    return limits.refuses(round_down(amount, limits.decimals), price)
