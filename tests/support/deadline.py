"""Waiting for a condition, with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(look: Callable[[], T], what: str = "condition", within: float = 30.0) -> T:
    """What ``look`` returns once it is true. Fails when it is not within ``within`` seconds."""
    until = time.monotonic() + within
    while True:
        seen = look()
        if seen:
            return seen
        assert time.monotonic() < until, f"{what}: not within {within} s, last seen {seen!r}"
        time.sleep(0.02)
