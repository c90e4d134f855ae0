"""The market data that one tick has read, and the age of these data."""

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
        """Age in seconds at ``moment``, at most: the answer may be as old as the time of the
        question.
        """
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
        """All reads of the tick, in the order in which the answers came."""
        return tuple(self._reads)

    def add(self, read: Read) -> None:
        """Add an answer."""
        self._reads.append(read)

    def forget(self) -> None:
        """Forget the reads of the tick before."""
        self._reads.clear()
