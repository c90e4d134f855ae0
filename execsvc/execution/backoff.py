"""The wait before the next entry after several entries in a row of which nothing was filled.

Pure.
"""

from __future__ import annotations

PATIENCE = 3
"""Entries in a row of which nothing was filled, until the next one has to wait."""
FIRST_DELAY = 5.0
LONGEST_DELAY = 300.0
"""Seconds."""
MOST_COUNTED = 12
"""Entries in a row after which the wait is certainly the longest."""


def delay(unfilled: int) -> float:
    """Seconds between the last of so many ``unfilled`` entries in a row and the next entry.

    >>> [delay(count) for count in (2, 3, 4, 5, 9)]
    [0.0, 5.0, 10.0, 20.0, 300.0]
    """
    if unfilled < PATIENCE:
        return 0.0
    steps = min(unfilled, MOST_COUNTED) - PATIENCE
    return min(FIRST_DELAY * 2.0**steps, LONGEST_DELAY)


def left(unfilled: int, passed: float) -> float:
    """Seconds of the wait that are left ``passed`` seconds after the last entry ended."""
    return max(delay(unfilled) - passed, 0.0)
