"""Actions after the end of their request."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Later:
    """Calls that are made after a while, until the sandbox stops. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._timers: set[threading.Timer] = set()

    def call(self, seconds: float, action: Callable[[], object]) -> None:
        """Call ``action`` in ``seconds``, in a thread of its own."""

        def act() -> None:
            action()
            with self._lock:
                self._timers.discard(timer)

        timer = threading.Timer(seconds, act)
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
