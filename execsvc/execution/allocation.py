"""What of an entry a bot's allocation allows, at the price at which the entry trades."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal

from execsvc.errors import OrderRefused, Unavailable
from execsvc.model.market import exact_sum

COULD_BIND = Decimal("0.5")
"""The part of an allocation from which on the price at which an entry trades is looked at."""


def allowed(
    wanted: Decimal,
    held: Decimal,
    allocation: Decimal | None,
    ticker: Decimal,
    best_price: Callable[[], Decimal],
) -> Decimal | None:
    """Base units that ``allocation`` (quote) allows beside ``held``; None where there is no cap.

    May be negative. ``best_price`` reads the book and raises Unavailable; it is asked only when the
    entry of ``wanted`` base units could reach the allocation. The ``ticker`` serves where it is not.
    """
    if allocation is None:
        return None
    price = ticker
    if (wanted + held) * ticker >= allocation * COULD_BIND:
        with suppress(Unavailable):
            price = best_price()
    return exact_sum(allocation / price, -held)


def refuse_without_allocation(allocation: Decimal | None) -> None:
    """Raise OrderRefused for an entry of a bot that may hold nothing."""
    if allocation == 0:
        raise OrderRefused("account_allocation is 0: the bot may hold nothing")
