"""Counts what a strategy that shows what it sees has seen, tick by tick."""

from __future__ import annotations

from collections import Counter

from execsvc.strategies.orderflow.state import Seen

_ENDS = ("absorbed", "timed_out", "replaced")


class Tally:
    """Signals by kind, where each died, and how often the window was cut."""

    def __init__(self) -> None:
        self.looked = 0
        self.died: Counter[str] = Counter()
        self.signals: Counter[str] = Counter()
        self.ends: Counter[str] = Counter()
        self.cut_windows = 0

    def add(self, seen: Seen) -> None:
        """Take one tick."""
        if seen.view is not None and seen.view.window.cut:
            self.cut_windows += 1
        if seen.event in _ENDS:
            self.ends[seen.event] += 1
        if seen.event in ("pressure", "replaced"):
            self._signal(seen)
        elif seen.event is None and seen.signals is not None and seen.pressure is None:
            self.looked += 1
            self.died[seen.signals.first_missing or "none"] += 1

    def _signal(self, seen: Seen) -> None:
        assert seen.signals is not None
        assert seen.pressure is not None
        self.looked += seen.event == "pressure"
        shown = ["imbalance"]
        shown += ["spread"] if seen.signals.expanded else []
        shown += ["jump"] if seen.signals.jumped else []
        self.signals[f"{seen.pressure.side.name} {'+'.join(shown)}"] += 1
