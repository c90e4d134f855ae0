"""Waiting for a condition, with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


PATIENCE = 90.0
"""Seconds for which every condition is waited for, however soon it is expected: a deadline that a
busy machine misses is a failure of the test, and one that is met costs nothing."""
SHORTEST, LONGEST = 0.02, 0.1
"""Seconds between two looks: at first, and once the wait has lasted for some time."""


def eventually(look: Callable[[], T], what: str = "condition", within: float = PATIENCE) -> T:
    """The result of ``look`` once it is true. Fails when it is not so within ``within`` seconds.

    A shorter time than ``PATIENCE`` is lengthened to that.
    """
    began = time.monotonic()
    within = max(within, PATIENCE)
    until = began + within
    while True:
        seen = look()
        if seen:
            return seen
        assert time.monotonic() < until, f"{what}: not within {within} s, last seen {seen!r}"
        # A look may cost as much as what is waited for; what takes long is looked at less often.
        time.sleep(min(max(SHORTEST, (time.monotonic() - began) / 10), LONGEST))
