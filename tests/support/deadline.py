"""Waiting for a condition, with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


SHORTEST, LONGEST = 0.02, 0.1
"""Seconds between two looks: at first, and once the wait has lasted for some time."""


def eventually(look: Callable[[], T], what: str = "condition", within: float = 30.0) -> T:
    """What ``look`` returns once it is true. Fails when it is not within ``within`` seconds."""
    began = time.monotonic()
    until = began + within
    while True:
        seen = look()
        if seen:
            return seen
        assert time.monotonic() < until, f"{what}: not within {within} s, last seen {seen!r}"
        # A look may cost as much as what is waited for; what takes long is looked at less often.
        time.sleep(min(max(SHORTEST, (time.monotonic() - began) / 10), LONGEST))
