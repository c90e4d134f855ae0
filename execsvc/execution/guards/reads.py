"""What one tick has read of the market, and how old that is."""

from __future__ import annotations

from typing import NamedTuple


class Read(NamedTuple):
    """One answer. ``asked_at`` and ``answered_at`` in monotonic seconds of our own.

    ``behind`` is by how many seconds its own stamp lay behind our clock when it came (negative:
    ahead of it); None where it has no stamp, as a ticker never has.
    """

    what: str
    asked_at: float
    answered_at: float
    behind: float | None = None

    def age(self, moment: float) -> float:
        """Seconds that it is old at ``moment``, at most: it may have been true when it was asked for."""
        since_asked = moment - self.asked_at
        if self.behind is None:
            return since_asked
        return max(since_asked, self.behind + moment - self.answered_at)


class MarketReads:
    """The reads of the present tick."""

    def __init__(self) -> None:
        self._reads: list[Read] = []

    @property
    def all(self) -> tuple[Read, ...]:
        """In the order in which they came."""
        return tuple(self._reads)

    def add(self, read: Read) -> None:
        """One more was answered."""
        self._reads.append(read)

    def forget(self) -> None:
        """A tick begins: it reads afresh."""
        self._reads.clear()
