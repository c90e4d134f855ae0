"""Stamps of an exchange: milliseconds since 1970, in any unit that they are written in."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import BeforeValidator

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_EARLIEST = 10**8
"""The smallest number that is a moment in seconds (of 1973); a smaller one stays as it is."""
_UNIT = 1000
"""Seconds, milli-, micro- and nanoseconds: each unit has a thousand of the next."""
_SECONDS_END = _EARLIEST * _UNIT
_MILLISECONDS_END = _SECONDS_END * _UNIT
_MICROSECONDS_END = _MILLISECONDS_END * _UNIT
_NANOSECONDS_END = _MICROSECONDS_END * _UNIT
_LARGEST_MAGNITUDE = 30
"""The largest magnitude of a number with a fraction or an exponent: a larger one is no time."""


FARTHEST_AHEAD = timedelta(minutes=1)
"""The most by which a stamp may be ahead of our clock; beyond it one of the clocks is wrong."""


def latest_believed(clock: datetime) -> int:
    """The largest stamp that is believed by ``clock``, in ms since 1970."""
    return (clock + FARTHEST_AHEAD - EPOCH) // timedelta(milliseconds=1)


def in_milliseconds(number: int | Decimal) -> int:
    """A moment since 1970 in s, ms, us or ns, by its magnitude, in ms.

    Each unit's numbers stand for the years from 1973 to 5138. A number that is a moment in no unit
    stays as it is: it is years away from any clock.

    >>> {in_milliseconds(1767292988 * 1000**unit) for unit in range(4)}
    {1767292988000}
    """
    if number < _EARLIEST or number >= _NANOSECONDS_END:
        return int(number)
    if number < _SECONDS_END:
        return int(number * _UNIT)
    if number < _MILLISECONDS_END:
        return int(number)
    return int(number // (_UNIT if number < _MICROSECONDS_END else _UNIT**2))


def is_in_milliseconds(earliest: int, latest: int) -> bool:
    """True when all numbers from ``earliest`` to ``latest`` are moments in ms."""
    return earliest >= _SECONDS_END and latest < _MILLISECONDS_END


def _stamp(value: Any) -> Any:
    """A number in ms; any other value as it is, to be refused later."""
    if type(value) is int:
        return in_milliseconds(value)
    if isinstance(value, bool) or not isinstance(value, (float, str, Decimal)):
        return value
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return value
    if not number.is_finite() or number.adjusted() > _LARGEST_MAGNITUDE:
        return value
    return in_milliseconds(number)


Stamp = Annotated[int, BeforeValidator(_stamp)]
"""A moment of the exchange's clock, in ms since 1970."""
