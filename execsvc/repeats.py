"""Limits a fault that repeats to one log line a minute, with a count."""

from __future__ import annotations

_MOST_KEYS = 1000


class Repeats:
    """Decides which repetitions of a fault are worth a log line."""

    def __init__(self, interval: float = 60.0) -> None:
        self._interval = interval
        self._said_at: dict[str, float] = {}
        self._kept_back: dict[str, int] = {}

    def note(self, key: str, now: float) -> int | None:
        """The number of times ``key`` occurred since it was last logged; None while it is not to be
        logged.

        ``now`` is in monotonic seconds.
        """
        said_at = self._said_at.get(key)
        count = self._kept_back.get(key, 0) + 1
        if said_at is not None and now - said_at < self._interval:
            self._kept_back[key] = count
            return None
        if said_at is None:
            self._make_room()
        self._said_at[key] = now
        self._kept_back[key] = 0
        return count

    def forget(self, key: str) -> int:
        """End the fault: its next one is logged at once. Returns the number of those not logged."""
        self._said_at.pop(key, None)
        return self._kept_back.pop(key, 0)

    def _make_room(self) -> None:
        """Drop the key that was logged longest ago: keys may come from outside, and must not pile
        up.
        """
        while len(self._said_at) >= _MOST_KEYS:
            self.forget(min(self._said_at, key=self._said_at.__getitem__))
