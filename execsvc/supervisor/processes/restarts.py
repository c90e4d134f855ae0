"""The delay until a crashed process is started again: none at first, then longer and longer. Pure."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import NamedTuple

LONGEST_DELAY = 60.0
"""Seconds between a crash and the restart, at most."""
CALM = 60.0
"""Seconds without a crash after which the next one counts as the first, at least."""


class Crashes(NamedTuple):
    """The times of the crashes of one process that count, the oldest first. Moments are in seconds."""

    times: tuple[float, ...] = ()

    def with_one(self, now: float, window: float) -> Crashes:
        """These and a crash at ``now``, without those that are too old to count."""
        # A window shorter than CALM must not make every crash a first one: the process would spin.
        longest = max(window, CALM)
        return Crashes((*(moment for moment in self.times if now - moment <= longest), now))

    def are_too_many(self, limit: int | None, window: float) -> bool:
        """True when more than ``limit`` of them are within ``window`` of the last one; None: never."""
        now = self.times[-1]
        return limit is not None and sum(now - moment <= window for moment in self.times) > limit

    def delay(self, jitter: float, longest: float = LONGEST_DELAY) -> float:
        """Seconds from the last crash until the restart. ``jitter`` is from 0 to 1."""
        crashes = len(self.times)
        if crashes < 2:
            return 0.0
        # Beyond 2**16 the longest delay holds anyway, and a float would overflow in the end.
        delay = min(2.0 ** min(crashes - 2, 16), longest)
        return delay * (0.75 + 0.25 * jitter)


class Restarts:
    """The crashes of one process; ``limit`` of them within ``window`` seconds are restarted.

    With ``limit`` None the process is never given up. ``jitter`` gives a number from 0 to 1.
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
        self._crashes = Crashes()

    def crashed(self, now: float) -> float | None:
        """Seconds until the restart after a crash at ``now``; None when the limit is reached."""
        self._crashes = self._crashes.with_one(now, self._window)
        if self._crashes.are_too_many(self._limit, self._window):
            return None
        return self._crashes.delay(self._jitter(), self._longest)

    def forget(self) -> None:
        """Forget the crashes: the next one counts as the first."""
        self._crashes = Crashes()
