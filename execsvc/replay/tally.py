"""Counts of a strategy's diagnostics over the ticks of a replay."""

from __future__ import annotations

from collections import Counter

from execsvc.strategies.diagnostics import Diagnostics


class Tally:
    """Ticks that judged an entry, signals by kind, the ends of these, entries refused."""

    def __init__(self) -> None:
        self.looked = 0
        self.died: Counter[str] = Counter()
        self.signals: Counter[str] = Counter()
        self.ends: Counter[str] = Counter()
        self.cut_windows = 0
        self.no_entry = 0

    def add(self, tick: Diagnostics) -> None:
        """Count one tick."""
        self.looked += tick.judged
        self.cut_windows += tick.window_cut
        self.no_entry += tick.refused is not None
        for counter, value in (
            (self.died, tick.missing),
            (self.signals, tick.signal),
            (self.ends, tick.ended),
        ):
            if value is not None:
                counter[value] += 1
