"""Messages that wait to be delivered; a bounded number of them. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from execsvc.alerts.messages import AlertMessage, DeliveryJob
from execsvc.alerts.tracker import Change

MOST = 100
"""Messages that are kept: an alert service may be away for days."""
AT_HAND = 8
"""The most messages that are with the process that sends them; it keeps no others."""
_DISPENSABLE = (Change.STILL, Change.OVER)


@dataclass
class _Queued:
    number: int
    message: AlertMessage
    targets: set[int]
    handed: bool = False
    delivered: bool = False


class AlertOutbox:
    """The messages, each until every one of ``targets`` addresses has it."""

    def __init__(self, targets: int) -> None:
        self._targets = targets
        self._waiting: list[_Queued] = []
        self._last = 0
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, message: AlertMessage) -> None:
        """Take one; where there is no room, a reminder goes first, then an all-clear, then the oldest."""
        while len(self._waiting) >= MOST:
            self._waiting.remove(self._least())
            self.dropped += 1
        self._last += 1
        self._waiting.append(_Queued(self._last, message, set(range(1, self._targets + 1))))

    def to_hand(self, now: bool = False) -> Iterator[DeliveryJob]:
        """The jobs for the sending process, oldest first; see :meth:`handed`.

        ``now``: all jobs once more, to be tried at once.
        """
        for waiting in self._waiting[:AT_HAND] if not now else list(self._waiting):
            if now or not waiting.handed:
                yield DeliveryJob(
                    number=waiting.number,
                    targets=sorted(waiting.targets),
                    tone=waiting.message.tone,
                    title=waiting.message.title,
                    text=waiting.message.text,
                    now=now,
                )

    def message(self, number: int) -> AlertMessage:
        """The message of job ``number``. Raises :exc:`KeyError` when no such job waits."""
        for waiting in self._waiting:
            if waiting.number == number:
                return waiting.message
        raise KeyError(number)

    def handed(self, number: int) -> None:
        """Record that the sending process has the message ``number``."""
        for waiting in self._waiting:
            if waiting.number == number:
                waiting.handed = True

    def take_back(self) -> None:
        """Give the next sending process all that the dead one had not delivered."""
        for waiting in self._waiting:
            waiting.handed = False

    def delivered(self, number: int, target: int) -> AlertMessage | None:
        """Record that an address has the message.

        Returns it when that address is the first to have it.
        """
        for waiting in self._waiting:
            if waiting.number == number:
                break
        else:
            return None
        first, waiting.delivered = not waiting.delivered, True
        waiting.targets.discard(target)
        if not waiting.targets:
            self._waiting.remove(waiting)
        return waiting.message if first else None

    def _least(self) -> _Queued:
        for change in _DISPENSABLE:
            for waiting in self._waiting:
                if waiting.message.change is change:
                    return waiting
        return self._waiting[0]
