"""Limits a fault that repeats to one log line a minute, with a count."""

from __future__ import annotations

_MOST_KEYS = 1000


class Repeats:
    """Decides which repetitions of a fault are worth a log line."""

    def __init__(self, interval: float = 60.0) -> None:
        self._interval = interval
        self._logged_at: dict[str, float] = {}
        self._suppressed: dict[str, int] = {}

    def note(self, key: str, now: float) -> int | None:
        """The number of times ``key`` occurred since it was last logged; None while it is not to be
        logged.

        ``now`` is in monotonic seconds.
        """
        logged_at = self._logged_at.get(key)
        count = self._suppressed.get(key, 0) + 1
        if logged_at is not None and now - logged_at < self._interval:
            self._suppressed[key] = count
            return None
        if logged_at is None:
            self._make_room()
        self._logged_at[key] = now
        self._suppressed[key] = 0
        return count

    def forget(self, key: str) -> int:
        """End the fault: its next one is logged at once. Returns the number of those not logged."""
        self._logged_at.pop(key, None)
        return self._suppressed.pop(key, 0)

    def _make_room(self) -> None:
        """Drop the key that was logged longest ago: keys may come from outside, and must not pile
        up.
        """
        while len(self._logged_at) >= _MOST_KEYS:
            self.forget(min(self._logged_at, key=self._logged_at.__getitem__))
