"""How often something took how long, kept as whole numbers so that many can be added up exactly."""

from __future__ import annotations

from bisect import bisect_left


class Histogram:
    """Durations between ``bounds``, which are in seconds, in ascending order.

    ``counts`` has a number for each bound, of what took at most that long and longer than the
    bound before, and one more for what took longer than all. ``micros``: microseconds in all.
    """

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.micros = 0

    def observe(self, seconds: float) -> None:
        """One more, which took so long; a clock that went back makes it nothing."""
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.micros += max(int(seconds * 1_000_000), 0)
