"""The waits of the sandbox, and the calls that it makes later; both end when the sandbox stops."""

from __future__ import annotations

import os
import select
import socket
import threading
import weakref
from collections.abc import Callable


class StopSignal:
    """The end of every wait of the sandbox when it stops."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        weakref.finalize(self, _close, self._read, self._write)

    def stop(self) -> None:
        """End all waits, present and future."""
        os.write(self._write, b"x")

    def wait(self, seconds: float | None, connection: socket.socket | None = None) -> bool:
        """Wait so many seconds (None: without end).

        False when the sandbox stopped, or when the client of ``connection`` left, before that.
        """
        poll = select.poll()
        poll.register(self._read, select.POLLIN)
        if connection is not None:
            poll.register(connection, select.POLLRDHUP)
        return not poll.poll(None if seconds is None else seconds * 1000)


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


class DelayedCalls:
    """Calls that are made after a while, until the sandbox stops. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._timers: set[threading.Timer] = set()

    def call(self, seconds: float, action: Callable[[], object]) -> None:
        """Call ``action`` in ``seconds``, in a thread of its own."""

        def perform() -> None:
            action()
            with self._lock:
                self._timers.discard(timer)

        timer = threading.Timer(seconds, perform)
        timer.daemon = True
        with self._lock:
            self._timers.add(timer)
        timer.start()

    def cancel(self) -> None:
        """Forget every call that has not been made."""
        with self._lock:
            for timer in self._timers:
                timer.cancel()
            self._timers.clear()
