"""Durations counted by length, kept as whole numbers so that many can be added up exactly."""

from __future__ import annotations

from bisect import bisect_left


class Histogram:
    """Durations between ``bounds``, which are in seconds, in ascending order.

    ``counts`` has a number for each bound, of the durations up to it and beyond the bound before,
    and one more for those beyond all bounds. ``micros``: microseconds in all.
    """

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.micros = 0

    def observe(self, seconds: float) -> None:
        """Add a duration; one that a clock set back has made negative counts as 0."""
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.micros += max(int(seconds * 1_000_000), 0)
