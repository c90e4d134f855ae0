"""The only place that reads time.

Records carry aware UTC, waits are measured on the monotonic clock. ``Clock`` is what the
code that must run in replay takes; ``SystemClock`` is the real one.
"""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import Protocol


class Clock(Protocol):
    """Where a control loop gets its time from."""

    def now(self) -> datetime:
        """Aware UTC, for records."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back, for waits."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        """Aware UTC, for records."""
        return datetime.now(timezone.utc)

    def monotonic(self) -> float:
        """Seconds that never go back, for waits; the same in every process since boot."""
        return time.monotonic()


SYSTEM = SystemClock()


def now() -> datetime:
    """Aware UTC of the machine."""
    return SYSTEM.now()


def monotonic() -> float:
    """Monotonic seconds of the machine."""
    return time.monotonic()


def iso(moment: datetime) -> str:
    """``moment`` as ISO 8601 in UTC with milliseconds and a ``Z``.

    >>> iso(datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc))
    '2026-01-02T03:04:05.000Z'
    """
    utc = moment.astimezone(timezone.utc)
    return utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_iso(text: str) -> datetime:
    """The aware UTC moment that :func:`iso` wrote."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
