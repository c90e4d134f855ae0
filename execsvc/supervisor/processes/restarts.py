"""The delay until a crashed process is started again: none at first, then longer and longer. Pure."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable

LONGEST_DELAY = 60.0
"""Seconds between a crash and the restart, at most."""
CALM = 60.0
"""Seconds without a crash after which the next one counts as the first, at least."""


class Restarts:
    """The crashes of one process; ``limit`` of them within ``window`` seconds are restarted.

    ``limit`` None means that it is never given up. ``jitter`` gives a number from 0 to 1.
    """

    def __init__(
        self,
        limit: int | None,
        window: float,
        longest: float = LONGEST_DELAY,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._limit = limit
        self._window = window
        self._longest = longest
        self._jitter = jitter
        self._crashes: deque[float] = deque()

    def crashed(self, now: float) -> float | None:
        """Seconds until the restart after a crash at ``now``; None when the limit is reached."""
        self._crashes.append(now)
        # A window shorter than this must not make every crash a first one: that would spin.
        while now - self._crashes[0] > max(self._window, CALM):
            self._crashes.popleft()
        within = sum(now - moment <= self._window for moment in self._crashes)
        if self._limit is not None and within > self._limit:
            return None
        return self._delay(len(self._crashes))

    def forget(self) -> None:
        """The next crash is a first one."""
        self._crashes.clear()

    def _delay(self, crashes: int) -> float:
        if crashes < 2:
            return 0.0
        # Beyond 2**16 the longest delay holds anyway, and a float would overflow in the end.
        delay = min(2.0 ** min(crashes - 2, 16), self._longest)
        return delay * (0.75 + 0.25 * self._jitter())
