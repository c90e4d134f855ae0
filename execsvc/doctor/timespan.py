"""Lengths of time as ``systemctl show`` prints them."""

from __future__ import annotations

import math
import re

_UNITS = {
    "y": 31_557_600.0,
    "month": 2_629_800.0,
    "w": 604_800.0,
    "d": 86_400.0,
    "h": 3_600.0,
    "min": 60.0,
    "s": 1.0,
    "ms": 1e-3,
    "us": 1e-6,
}
_PART = re.compile(r"(\d+(?:\.\d+)?)(y|month|w|d|h|min|ms|us|s)")


def seconds(text: str) -> float:
    """``text`` in seconds; infinity for ``infinity`` and where nothing is said.

    >>> seconds("2min 30s"), seconds("500ms"), seconds("infinity")
    (150.0, 0.5, inf)

    Raises ValueError.
    """
    if text in ("", "infinity"):
        return math.inf
    if text == "0":
        return 0.0
    parts = [_PART.fullmatch(part) for part in text.split()]
    total = 0.0
    for part in parts:
        if part is None:
            raise ValueError(text)
        total += float(part[1]) * _UNITS[part[2]]
    return total
