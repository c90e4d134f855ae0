"""The reports of this process to the supervisor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from execsvc.clients.exchange_adapter import Read
from execsvc.clock import monotonic
from execsvc.model.position import Position
from execsvc.runner.counts import Counts
from execsvc.runner.report import End, Snapshot, send, send_last, shown

BEAT_SECONDS = 2.0
"""Seconds between two heartbeats while nothing changes."""
TICK_SECONDS = 1.5
"""Seconds after a report within which a tick that brought nothing new is not reported at once.

It goes with the next report: this halves the supervisor's work for a thousand bots that tick every
second, and spares a bot that ticks twenty times a second the writes.
"""
_OF_A_TICK = frozenset({"ticks", "last_tick_at", "diagnostics"})


class Reporter:
    """The latest snapshot; written to the report pipe when it changes, and as a heartbeat."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._sent_at = float("-inf")
        self._withheld = False
        self._turn_since: float | None = None
        self._turn_waited = 0.0
        self._unread_since: float | None = None
        self._unticked_since: float | None = None
        self._has_read = False
        self._unjudged_since: float | None = None
        self.snapshot = Snapshot()
        self.counts = Counts()
        """The counters, which any part of the process may add to; they go out with the next report."""

    def update(self, **changes: Any) -> None:
        """Change the snapshot; the change is sent at once, if it is more than one tick more."""
        before = self.snapshot
        news = {name for name, value in changes.items() if getattr(before, name) != value}
        if not news:
            return
        self.snapshot = before.model_copy(update=changes)
        self._withheld = before.ticks > 0 and news <= _OF_A_TICK and self._age() < TICK_SECONDS
        if not self._withheld:
            self._send()

    def show_position(self, position: Position, **changes: Any) -> None:
        """As :meth:`update`, with the position as ``/status`` shows it."""
        self.update(position=shown(position), **changes)

    @property
    def last_error(self) -> str | None:
        """The last error, by the snapshot."""
        return self.snapshot.last_error

    def beat(self) -> float | None:
        """Send a heartbeat, unless a report was sent within the last two seconds.

        Returns the seconds until the next one is due if something waits for it.
        """
        if self._age() >= BEAT_SECONDS:
            self._send()
        return BEAT_SECONDS - self._age() if self._withheld else None

    @contextmanager
    def waiting_for_turn(self) -> Iterator[None]:
        """Count the time of this block as waiting for the account's turn."""
        self._turn_since = monotonic()
        try:
            yield
        finally:
            self._turn_waited += monotonic() - self._turn_since
            self._turn_since = None

    def read_failed(self, call: Read) -> None:
        """Record a read of the adapter that gave no usable answer."""
        self.counts.read_failed(call)
        if self._unread_since is None:
            self._unread_since = monotonic()

    def read_succeeded(self) -> None:
        """Record a read of the adapter that succeeded."""
        self._unread_since, self._has_read = None, True

    def ticked(self, began: float, unread: bool) -> None:
        """Record the end of a tick that began at ``began`` [monotonic s]; ``unread``: for a read
        that failed.

        A tick whose strategy ignored the failures counts as well, when every read of it failed.
        """
        all_failed = self._unread_since is not None and not self._has_read
        self._unread_since, self._has_read = None, False
        if not (unread or all_failed):
            self._unticked_since = None
        elif self._unticked_since is None:
            self._unticked_since = began

    def checked(self, judged: bool) -> None:
        """Record a check of the stop loss; ``judged``: it is known whether something is to be sold."""
        if judged:
            self._unjudged_since = None
        elif self._unjudged_since is None:
            self._unjudged_since = monotonic()

    def end(self, end: End) -> None:
        """Send the last report, which says that this process ends on purpose."""
        self.snapshot = self._timed().model_copy(update={"end": end})
        send_last(self._descriptor, self.snapshot)

    def _send(self) -> None:
        if not send(self._descriptor, self._timed()):
            self.counts.report_dropped()
        self._sent_at, self._withheld = monotonic(), False

    def _age(self) -> float:
        """Seconds since the last report."""
        return monotonic() - self._sent_at

    def _timed(self) -> Snapshot:
        waited = self._turn_waited
        if self._turn_since is not None:
            waited += monotonic() - self._turn_since
        return self.snapshot.model_copy(
            update={
                "turn_wait": round(waited, 3),
                "unread": self._unread(),
                "unjudged": _seconds_since(self._unjudged_since),
                "counts": self.counts.numbers(),
            }
        )

    def _unread(self) -> float:
        """Seconds during which every read failed, or every tick ended at a failed read."""
        since = [one for one in (self._unread_since, self._unticked_since) if one is not None]
        return _seconds_since(min(since, default=None))


def _seconds_since(moment: float | None) -> float:
    """Seconds since ``moment`` [monotonic s]; 0 when that is None."""
    return 0.0 if moment is None else round(monotonic() - moment, 3)
