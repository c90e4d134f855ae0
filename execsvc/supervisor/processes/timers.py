"""The times at which bots and processes are due, by key. Pure."""

from __future__ import annotations

import heapq


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
