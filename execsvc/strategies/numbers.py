"""Limits of a parameter that is a number, beyond the range that a form knows of."""

from __future__ import annotations

from decimal import Decimal

_MOST_DECIMALS = 18
_MOST_DIGITS = 36


def usable(value: Decimal) -> Decimal:
    """``value``, for a validator. Raises ValueError for one with too many digits to write out.

    ``1e999999999`` is such a number, and no price of anything.
    """
    if int(value.as_tuple().exponent) < -_MOST_DECIMALS or value.adjusted() > _MOST_DIGITS:
        raise ValueError(f"has more than {_MOST_DECIMALS} decimals or {_MOST_DIGITS} digits")
    return value
