"""Checks whether the position of an entry can be sold again. Pure."""

from __future__ import annotations

from decimal import Decimal

from execsvc.errors import OrderRefused
from execsvc.execution.known_sizes import Known
from execsvc.model.market import Limits, exact_sum, plain, round_down

USUAL_FEE = Decimal("0.002")
"""The part of a buy that its fee in base may take, where no earlier buy has shown it."""
FALL = Decimal("0.02")
"""The part by which the price may fall before the position becomes too small to be sold."""


def refuse_without_way_out(
    amount: Decimal,
    held: Decimal,
    fee_rate: Decimal | None,
    limits: Limits,
    price: Decimal,
    known: Known,
) -> None:
    """Refuse an entry of ``amount`` base units whose position might be too small to be sold.

    ``held`` is what is already there and would be sold along; ``fee_rate`` the part that the last
    buy's fee in base took, None when there was none. Raises OrderRefused.
    """
    fee = amount * (USUAL_FEE if fee_rate is None else fee_rate)
    left = exact_sum(held, amount, -fee)
    decimals = limits.decimals
    if known.decimals is not None:
        decimals = min(decimals, known.decimals)
    if not limits.refuses(round_down(left, decimals), price * (1 - FALL)):
        return
    minima = [
        f"{plain(value)} {what}"
        for value, what in ((limits.min_amount, "in amount"), (limits.min_notional, "in worth"))
        if value
    ]
    raise OrderRefused(
        f"no entry of {plain(amount)}: the {plain(left)} left after its fee could not be sold once "
        f"the price is {plain(FALL * 100)} % lower (minimum {' and '.join(minima) or 'one step'})"
    )
