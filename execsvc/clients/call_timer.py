"""The timer of one call on the network: its deadline, and the heartbeats of its process."""

from __future__ import annotations

import math
import select
from enum import Enum
from typing import Protocol

from execsvc.clock import monotonic

SLICE = 0.25
"""Seconds for which a process may not react while it waits on the network."""


class Heartbeat(Protocol):
    """The callback by which a wait on the network lets its process send heartbeats and handle
    signals.
    """

    def __call__(self, interruptible: bool) -> None:
        """Run the callback, at least every 0.25 s.

        Raises StopRequested for a stop, if interruptible.
        """
        ...


def no_heartbeat(interruptible: bool) -> None:
    """Do nothing: for a process that sends no heartbeats."""


class CallTimedOut(TimeoutError):
    """The call has had all of its time."""


class TooLate(OSError):
    """The request may not leave any more, and nothing of it has left."""


class Stage(Enum):
    """The progress of a call."""

    IDLE = 0
    CONNECTING = 1
    """A connection is being made; nothing of the request has left."""
    CONNECTED = 2
    """There is a connection; nothing of the request has left."""
    SENT = 3
    """Some of the request may have left."""


class CallTimer:
    """The clock of the call in flight; a process makes one call at a time.

    Its sockets call it before every wait, so that a server which answers byte by byte gets no more
    time than any other, and the process stays responsive without a thread or a signal.
    """

    def __init__(self, heartbeat: Heartbeat) -> None:
        self._heartbeat = heartbeat
        self._interruptible = True
        self._deadline = 0.0
        self._send_by = math.inf
        self._heartbeat_at = 0.0
        self.timeout = 0.0
        self.stage = Stage.IDLE

    def start(self, timeout: float, interruptible: bool, send_by: float = math.inf) -> None:
        """Begin a call that may take ``timeout`` seconds, all of it together.

        Its request is not to leave after ``send_by``, in monotonic seconds.
        """
        self._deadline = monotonic() + timeout
        self._send_by = send_by
        self._interruptible = interruptible
        self.timeout = timeout
        self.stage = Stage.IDLE

    def refuse_if_late(self) -> None:
        """Raise TooLate if the request may not leave any more; called just before the first byte is
        sent.
        """
        late = monotonic() - self._send_by
        if late > 0:
            raise TooLate(f"never sent, {late:.1f} s too late")

    def left(self) -> float:
        """Seconds left; none or less when the call has had all of its time."""
        return self._deadline - monotonic()

    def remaining(self) -> float:
        """Seconds left. Raises CallTimedOut when there are none."""
        left = self.left()
        if left <= 0:
            raise CallTimedOut(f"no answer within {self.timeout:g} s")
        return left

    def slice(self) -> float:
        """Seconds for which the next wait may last, after a heartbeat when one is due.

        Raises CallTimedOut, and StopRequested where the call may be interrupted.
        """
        now = monotonic()
        if now - self._heartbeat_at >= SLICE:
            self._heartbeat_at = now
            self._heartbeat(self._interruptible)
        return min(SLICE, self.remaining())

    def wait(self, seconds: float) -> None:
        """Let ``seconds`` of the call's time pass. Raises as :meth:`slice` does."""
        until = monotonic() + seconds
        while (left := until - monotonic()) > 0:
            select.select([], [], [], min(left, self.slice()))
