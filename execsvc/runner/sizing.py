"""How large an order may be. Pure; quantities in base units, rounded down."""

from __future__ import annotations

from decimal import Decimal

from execsvc.errors import OrderRefused
from execsvc.model.market import FLOAT_NOISE, ZERO, Limits, plain, round_down
from execsvc.model.position import Position

SPENDABLE = Decimal("0.99")
"""The part of the free quote balance that a buy may spend."""


def buy_amount(
    requested: Decimal,
    price: Decimal,
    free_quote: Decimal,
    allocation: Decimal | None,
    position: Position,
    decimals: int,
    limits: Limits,
) -> Decimal:
    """What of ``requested`` may be bought at ``price``.

    Raises OrderRefused when that is below the exchange's minimum.
    """
    affordable = free_quote * SPENDABLE / price
    amount = min(requested, affordable)
    if allocation is not None:
        amount = min(amount, allocation / price - position.tracked)
    rounded = round_down(max(amount, ZERO), decimals)
    if limits.refuses(rounded, price):
        raise OrderRefused(
            f"a buy of {plain(rounded)} is below the minimum (asked: {plain(requested)}, "
            f"affordable: {plain(round_down(max(affordable, ZERO), decimals))})"
        )
    return rounded


def sell_amount(requested: Decimal, free_base: Decimal, tracked: Decimal, decimals: int) -> Decimal:
    """``min(requested, actual, tracked)``, rounded down; may be zero."""
    # Rounding must not take a whole step for what a float lost on its way to us.
    actual = tracked if 0 < tracked - free_base <= tracked * FLOAT_NOISE else free_base
    return round_down(max(min(requested, actual, tracked), ZERO), decimals)
