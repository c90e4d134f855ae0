"""The requests that the sandbox got."""

from __future__ import annotations

import threading
from collections import Counter, deque
from typing import Any

from execsvc.clock import Clock, iso
from execsvc.sandbox.wire import HttpReply, HttpRequest

_KEPT = 10_000


class RequestLog:
    """Counts of all calls, the last ten thousand requests, and every order's body. Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._last: deque[dict[str, Any]] = deque(maxlen=_KEPT)
        self._orders: list[dict[str, Any]] = []

    def arrived(self, call: str, request: HttpRequest) -> dict[str, Any]:
        """Record a request; returns its entry, to be completed by :meth:`answered`."""
        entry: dict[str, Any] = {
            "at": iso(self._clock.now()),
            "call": call,
            "method": request.method,
            "path": "/" + "/".join(request.segments),
            "query": dict(request.query),
            "authorization": request.headers.get("Authorization"),
            "body": request.body.decode("utf-8", "replace"),
            "answer": None,
        }
        with self._lock:
            self._counts[call] += 1
            self._last.append(entry)
            if call == "order":
                self._orders.append(entry)
        return entry

    def answered(self, entry: dict[str, Any], reply: HttpReply) -> None:
        """Complete an entry with the answer to the request, and its time."""
        with self._lock:
            entry["answer"] = f"{reply.status} {reply.manner.value}"
            entry["answered_at"] = iso(self._clock.now())

    def report(self, last: int) -> dict[str, Any]:
        """Counts of each call, the ``last`` requests, the listings among them, all orders."""
        with self._lock:
            requests = [dict(entry) for entry in self._last]
            return {
                "counts": dict(self._counts),
                "last": requests[-last:] if last else [],
                "listings": [entry for entry in requests if entry["call"] == "bots"][-last:],
                "orders": [dict(entry) for entry in self._orders],
            }

    def clear(self) -> None:
        """Forget everything recorded."""
        with self._lock:
            self._counts.clear()
            self._last.clear()
            self._orders.clear()
