"""Letters that wait to be delivered; a bounded number of them. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from execsvc.alerts.edges import Change
from execsvc.alerts.letters import Errand, Letter

MOST = 100
"""Letters that are kept: an alert service may be away for days."""
AT_HAND = 8
"""So many are with the process that sends them; it keeps no others."""
_DISPENSABLE = (Change.STILL, Change.OVER)


@dataclass
class _Waiting:
    number: int
    letter: Letter
    targets: set[int]
    handed: bool = False
    delivered: bool = False


class Outbox:
    """Holds each letter until every one of ``targets`` addresses has it."""

    def __init__(self, targets: int) -> None:
        self._targets = targets
        self._waiting: list[_Waiting] = []
        self._last = 0
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, letter: Letter) -> None:
        """Take one; where there is no room, a reminder goes first, then an all-clear, then the oldest."""
        while len(self._waiting) >= MOST:
            self._waiting.remove(self._least())
            self.dropped += 1
        self._last += 1
        self._waiting.append(_Waiting(self._last, letter, set(range(1, self._targets + 1))))

    def to_hand(self, now: bool = False) -> Iterator[Errand]:
        """What the sending process is to be given next, oldest first; see :meth:`handed`.

        ``now``: all of it once more, to be tried at once.
        """
        for waiting in self._waiting[:AT_HAND] if not now else list(self._waiting):
            if now or not waiting.handed:
                yield Errand(
                    number=waiting.number,
                    targets=sorted(waiting.targets),
                    tone=waiting.letter.tone,
                    title=waiting.letter.title,
                    text=waiting.letter.text,
                    now=now,
                )

    def letter(self, number: int) -> Letter:
        """The letter of errand ``number``. Raises :exc:`KeyError` when no such errand waits."""
        for waiting in self._waiting:
            if waiting.number == number:
                return waiting.letter
        raise KeyError(number)

    def handed(self, number: int) -> None:
        """The sending process has it."""
        for waiting in self._waiting:
            if waiting.number == number:
                waiting.handed = True

    def take_back(self) -> None:
        """The sending process is dead: what it had not delivered is given to the next one."""
        for waiting in self._waiting:
            waiting.handed = False

    def delivered(self, number: int, target: int) -> Letter | None:
        """An address has it. Returns the letter when that is the first to have it."""
        for waiting in self._waiting:
            if waiting.number == number:
                break
        else:
            return None
        first, waiting.delivered = not waiting.delivered, True
        waiting.targets.discard(target)
        if not waiting.targets:
            self._waiting.remove(waiting)
        return waiting.letter if first else None

    def _least(self) -> _Waiting:
        for change in _DISPENSABLE:
            for waiting in self._waiting:
                if waiting.letter.change is change:
                    return waiting
        return self._waiting[0]
