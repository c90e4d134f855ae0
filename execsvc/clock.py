"""The only place that reads time.

Records carry aware UTC, waits are measured on the monotonic clock. Both are the machine's unless
a process has installed another clock with :func:`installed`, as replay does.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
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
_clock: Clock = SYSTEM


class SimulatedClock:
    """A clock that moves when it is told to, exact to the microsecond.

    It begins at ``start`` (aware UTC) and ``monotonic`` seconds.
    """

    def __init__(self, start: datetime, monotonic: float = 0.0) -> None:
        self._start = start
        self._origin = monotonic
        self._microseconds = 0
        self._now = start

    def now(self) -> datetime:
        """Aware UTC."""
        return self._now

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return self._origin + self._microseconds / 1e6

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass; less than nothing lets nothing pass."""
        self._microseconds += max(round(seconds * 1e6), 0)
        self._now = self._start + timedelta(microseconds=self._microseconds)


@contextmanager
def installed(clock: Clock) -> Iterator[None]:
    """Let this process live by ``clock`` for the length of the block."""
    global _clock  # noqa: PLW0603 - the one thing that all of a process has to share
    before, _clock = _clock, clock
    try:
        yield
    finally:
        _clock = before


def now() -> datetime:
    """Aware UTC of the clock this process lives by."""
    return _clock.now()


def monotonic() -> float:
    """Monotonic seconds of the clock this process lives by."""
    return _clock.monotonic()


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
