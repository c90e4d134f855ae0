"""Keeps what the supervisor is told about this process, and tells it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from execsvc.clock import monotonic
from execsvc.runner.counts import Counts
from execsvc.runner.report import End, Snapshot, send, send_last

BEAT_SECONDS = 2.0
"""Seconds between two signs of life while nothing changes."""


class Reporter:
    """The latest snapshot; written to the report pipe when it changes, and as a sign of life."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._sent_at = float("-inf")
        self._turn_since: float | None = None
        self._turn_waited = 0.0
        self.snapshot = Snapshot()
        self.counts = Counts()
        """Added to by whoever has something to count; they go out with the next report."""

    def update(self, **changes: Any) -> None:
        """Change the snapshot; what changed is sent at once."""
        changed = self.snapshot.model_copy(update=changes)
        if changed != self.snapshot:
            self.snapshot = changed
            self._send()

    def beat(self) -> None:
        """Give a sign of life, unless one was given within the last two seconds."""
        if monotonic() - self._sent_at >= BEAT_SECONDS:
            self._send()

    @contextmanager
    def waiting_for_turn(self) -> Iterator[None]:
        """Count the time of this block as waiting for the account's turn."""
        self._turn_since = monotonic()
        try:
            yield
        finally:
            self._turn_waited += monotonic() - self._turn_since
            self._turn_since = None

    def end(self, end: End) -> None:
        """Send the last words, which say that this process ends on purpose."""
        self.snapshot = self._timed().model_copy(update={"end": end})
        send_last(self._descriptor, self.snapshot)

    def _send(self) -> None:
        if not send(self._descriptor, self._timed()):
            self.counts.report_dropped()
        self._sent_at = monotonic()

    def _timed(self) -> Snapshot:
        waited = self._turn_waited
        if self._turn_since is not None:
            waited += monotonic() - self._turn_since
        return self.snapshot.model_copy(
            update={"turn_wait": round(waited, 3), "counts": self.counts.numbers()}
        )
