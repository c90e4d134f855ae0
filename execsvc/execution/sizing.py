"""The largest quantity of an order, and the entries that are refused for theirs. Pure.

Quantities are in base units, rounded down.
"""

from __future__ import annotations

from decimal import Decimal

from execsvc.errors import OrderRefused
from execsvc.execution.known_sizes import KnownSizes
from execsvc.model.market import FLOAT_NOISE, ZERO, Limits, exact_sum, plain, round_down

SPENDABLE = Decimal("0.99")
"""The part of the free quote balance that a buy may spend."""
COULD_BIND = Decimal("0.5")
"""The part of an allocation from which on an entry is judged by the price at which it trades."""
USUAL_FEE = Decimal("0.002")
"""The part of a buy that its fee in base may take, where no earlier buy has shown it."""
FALL = Decimal("0.02")
"""The part by which the price may fall before the position becomes too small to be sold."""


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
        listed = ", ".join(
            f"{name}: {plain(round_down(max(cap, ZERO), decimals))}" for name, cap in caps.items()
        )
        raise OrderRefused(f"a buy of {plain(rounded)} is below the minimum ({listed})")
    return rounded


def sell_amount(requested: Decimal, free_base: Decimal, tracked: Decimal, decimals: int) -> Decimal:
    """``min(requested, actual, tracked)``, rounded down; may be zero."""
    # Rounding must not take a whole step for what a float lost on its way to us.
    actual = tracked if 0 < tracked - free_base <= tracked * FLOAT_NOISE else free_base
    return round_down(max(min(requested, actual, tracked), ZERO), decimals)


def could_bind(wanted: Decimal, held: Decimal, allocation: Decimal, ticker: Decimal) -> bool:
    """True when an entry of ``wanted`` base units beside ``held`` could reach ``allocation`` (quote)."""
    return (wanted + held) * ticker >= allocation * COULD_BIND


def allowed(held: Decimal, allocation: Decimal, price: Decimal) -> Decimal:
    """Base units that ``allocation`` (quote) allows beside ``held`` at ``price``; may be negative."""
    return exact_sum(allocation / price, -held)


def refuse_without_allocation(allocation: Decimal | None) -> None:
    """Raise OrderRefused for an entry of a bot that may hold nothing."""
    refusal = may_hold_nothing(allocation)
    if refusal is not None:
        raise OrderRefused(refusal)


def may_hold_nothing(allocation: Decimal | None) -> str | None:
    """The reason for which a bot with this ``allocation`` never makes an entry; None when it may.

    >>> may_hold_nothing(Decimal("0.00"))
    'account_allocation is 0: the bot may hold nothing, so it buys nothing'
    """
    if allocation != 0:
        return None
    return "account_allocation is 0: the bot may hold nothing, so it buys nothing"


def refuse_unsellable_entry(
    amount: Decimal,
    held: Decimal,
    fee_rate: Decimal | None,
    limits: Limits,
    price: Decimal,
    known: KnownSizes,
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
