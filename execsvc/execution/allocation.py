"""The part of an entry that a bot's allocation allows, at the price at which it trades. Pure."""

from __future__ import annotations

from decimal import Decimal

from execsvc.errors import OrderRefused
from execsvc.model.market import exact_sum

COULD_BIND = Decimal("0.5")
"""The part of an allocation from which on an entry is judged by the price at which it trades."""


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
