"""Says a fault that repeats once a minute, with a count, instead of every time."""

from __future__ import annotations

_MOST_KEYS = 1000


class Repeats:
    """Decides which repetitions of a fault are worth a log line."""

    def __init__(self, interval: float = 60.0) -> None:
        self._interval = interval
        self._said_at: dict[str, float] = {}
        self._kept_back: dict[str, int] = {}

    def note(self, key: str, now: float) -> int | None:
        """How often ``key`` happened since it was last said; None while it is to be kept silent.

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
        """The fault is over: its next one is said at once. Returns how many were kept silent."""
        self._said_at.pop(key, None)
        return self._kept_back.pop(key, 0)

    def _make_room(self) -> None:
        """Keys may come from outside; what was said longest ago is dropped first."""
        while len(self._said_at) >= _MOST_KEYS:
            self.forget(min(self._said_at, key=self._said_at.__getitem__))
