"""BotService: its features, and the connections to its database, which can all be taken."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import BaseModel, ConfigDict, Field

from execsvc.clock import Clock
from execsvc.sandbox.waits import StopSignal
from execsvc.sandbox.wire import HttpReply


class BotServiceFeatures(BaseModel):
    """The features of the sandbox's BotService; the defaults are today's, but for its connections."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    deduplicate: bool = False
    """True when a request with a known ``Idempotency-Key`` gets the first answer, and does nothing."""
    connections: int | None = Field(default=None, ge=1)
    """Requests that it works on at the same moment; null: any number. Today's has 15."""
    work: float = Field(default=0.2, ge=0)
    """Seconds for which a ``PUT`` of a row holds its connection, where their number is limited."""
    recovery: float = Field(default=3.0, ge=0)
    """Seconds for which every request is answered 500 once the connections were all taken."""


class BotServiceState:
    """The features, the connections that are taken, and the answers given. Safe for threads."""

    def __init__(self, clock: Clock) -> None:
        self.features = BotServiceFeatures()
        self._clock = clock
        self._lock = threading.Lock()
        self._taken = 0
        self._exhausted_until = float("-inf")
        self._answers: dict[str, HttpReply] = {}

    @contextmanager
    def connection(self, stop_signal: StopSignal, is_put_of_row: bool) -> Iterator[bool]:
        """A connection for the length of the block, and of the work; False when there is none."""
        features = self.features
        if features.connections is None:
            yield True
            return
        with self._lock:
            free = self._clock.monotonic() >= self._exhausted_until
            if free and self._taken >= features.connections:
                free, self._exhausted_until = False, self._clock.monotonic() + features.recovery
            self._taken += free
        try:
            yield free
            if free and is_put_of_row:
                stop_signal.wait(features.work)
        finally:
            with self._lock:
                self._taken -= free

    def answered(self, key: str | None) -> HttpReply | None:
        """The answer that a request with this key got, where requests are de-duplicated."""
        with self._lock:
            return self._answers.get(key or "") if self.features.deduplicate else None

    def remember(self, key: str | None, reply: HttpReply) -> None:
        """Keep the answer of a request that was taken, by its key."""
        if key is not None:
            with self._lock:
                self._answers[key] = reply
