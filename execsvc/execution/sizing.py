"""The largest quantity of an order. Pure; quantities in base units, rounded down."""

from __future__ import annotations

from decimal import Decimal

from execsvc.errors import OrderRefused
from execsvc.model.market import FLOAT_NOISE, ZERO, Limits, plain, round_down

SPENDABLE = Decimal("0.99")
"""The part of the free quote balance that a buy may spend."""


def affordable_amount(free_quote: Decimal, price: Decimal) -> Decimal:
    """The amount that ``free_quote`` pays for at ``price``, less the part of it that stays free."""
    return free_quote * SPENDABLE / price


def buy_amount(
    requested: Decimal,
    price: Decimal,
    free_quote: Decimal,
    allowed: Decimal | None,
    decimals: int,
    limits: Limits,
) -> Decimal:
    """The part of ``requested`` to buy at ``price``; ``allowed`` is the cap, None without one.

    Raises OrderRefused when that is below the exchange's minimum.
    """
    affordable = affordable_amount(free_quote, price)
    amount = min(requested, affordable)
    if allowed is not None:
        amount = min(amount, allowed)
    rounded = round_down(max(amount, ZERO), decimals)
    if limits.refuses(rounded, price):
        caps = {"asked": requested, "affordable": affordable}
        if allowed is not None:
            caps["left of account_allocation"] = allowed
        said = ", ".join(
            f"{name}: {plain(round_down(max(cap, ZERO), decimals))}" for name, cap in caps.items()
        )
        raise OrderRefused(f"a buy of {plain(rounded)} is below the minimum ({said})")
    return rounded


def sell_amount(requested: Decimal, free_base: Decimal, tracked: Decimal, decimals: int) -> Decimal:
    """``min(requested, actual, tracked)``, rounded down; may be zero."""
    # Rounding must not take a whole step for what a float lost on its way to us.
    actual = tracked if 0 < tracked - free_base <= tracked * FLOAT_NOISE else free_base
    return round_down(max(min(requested, actual, tracked), ZERO), decimals)
