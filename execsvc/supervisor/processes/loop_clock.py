"""The time of the loop: a clock without its gaps, and the times at which bots and processes are due."""

from __future__ import annotations

import heapq
from collections.abc import Callable

from execsvc.clock import monotonic
from execsvc.model.histogram import Histogram

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds between which the turns of the loop are counted."""
SLACK = 1.0
"""Seconds that a turn of the loop may take beyond its wait before it counts as a gap."""


class LoopClock:
    """Monotonic seconds without the gaps of the loop itself.

    A supervisor that was stopped for a minute (SIGSTOP, a machine put to sleep) must not
    count that time as a silence of its children: every deadline is measured on this clock, so that a
    gap moves all of them.
    """

    def __init__(self, source: Callable[[], float] = monotonic) -> None:
        self._source = source
        self._seen = source()
        self._planned = 0.0
        self.now = self._seen
        self.gap = 0.0
        """Seconds of the last turn that do not count."""
        self.late = Histogram(BOUNDS)
        """The lateness of the loop: seconds after the planned end, of the waits that nothing cut short."""
        self.busy = Histogram(BOUNDS)
        """The work of the loop: seconds of each turn in which it did not wait."""

    def start(self) -> None:
        """Begin the turns of the loop; the time before is not counted as one."""
        self._seen = self._source()

    def plan(self, wait: float) -> None:
        """Begin a wait of the loop, of at most ``wait`` seconds."""
        self.gap = 0.0
        self.busy.observe(self._turn())
        self._planned = wait

    def wake(self) -> None:
        """End the wait of the loop."""
        planned = self._planned
        waited = self._turn()
        if waited >= planned:
            self.late.observe(waited - planned)

    def _turn(self) -> float:
        """Add the time since the last reading. Returns that time, in seconds of the machine's own clock."""
        seen = self._source()
        passed, allowed = seen - self._seen, self._planned
        gap = passed - allowed if passed > allowed + SLACK else 0.0
        self.gap += gap  # it may have been stopped in the middle of its work as well
        self.now += passed - gap
        self._seen = seen
        self._planned = 0.0
        return passed


class Timers:
    """One time for each key, the earliest that was asked for; a key that came due has to ask anew.

    A key comes due once, and not once a deadline, so that a deadline that moves with each heartbeat
    costs nothing until its first date.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[float, str]] = []
        self._when: dict[str, float] = {}

    def ask(self, key: str, when: float) -> None:
        """Make ``key`` due no later than ``when``."""
        if when < self._when.get(key, float("inf")):
            self._when[key] = when
            heapq.heappush(self._heap, (when, key))

    def due(self, now: float) -> list[str]:
        """The keys that are due, the earliest first; a key is returned once."""
        keys = []
        while self._heap and self._heap[0][0] <= now:
            when, key = heapq.heappop(self._heap)
            if self._when.get(key) == when:
                del self._when[key]
                keys.append(key)
        return keys

    def next(self) -> float:
        """The time at which the next key is due; infinity without one."""
        return self._heap[0][0] if self._heap else float("inf")
