"""A worker's end of its channel to the supervisor: requests come in, answers and heartbeats go out."""

from __future__ import annotations

import os
import select
from typing import NamedTuple

from execsvc.clock import monotonic
from execsvc.errors import StopRequested
from execsvc.workers.lines import Lines

BEAT = 2.0
"""Seconds without a line after which the state is written again, as a heartbeat."""
SHORTEST_SILENCE = 0.2
"""Seconds between a line and the next state, at least."""
LARGEST_LINE = 4096
"""Bytes of a request or a state (``PIPE_BUF``): a write of so many is whole or not at all."""
HEARTBEAT = b"\n"
"""The state of a worker that has none to show; the supervisor drops empty lines."""


class Pipes(NamedTuple):
    """The descriptors of a worker."""

    lifeline: int
    """The read end of a pipe that ends when the supervisor is gone."""
    requests: int
    answers: int


class Channel:
    """Both pipes and the lifeline. Every wait reads requests and sends heartbeats.

    Methods raise StopRequested when the supervisor is gone, BrokenPipeError when it reads no answers.
    """

    def __init__(self, pipes: Pipes) -> None:
        self.finishing = False
        """True once the supervisor has closed the requests: no other will come."""
        self._pipes = pipes
        os.set_blocking(pipes.requests, False)
        self._lines = Lines(pipes.requests, LARGEST_LINE)
        self._poll = select.poll()
        self._poll.register(pipes.lifeline, select.POLLIN)
        self._poll.register(pipes.requests, select.POLLIN)
        self._room = select.poll()
        self._room.register(pipes.answers, select.POLLOUT)
        self._unread: list[bytes] = []
        self._news = False
        self._state = HEARTBEAT
        self._written = b""
        self._wrote_at = float("-inf")

    def requests(self) -> list[bytes]:
        """The requests read since the last call, without their newline."""
        taken, self._unread, self._news = self._unread, [], False
        return taken

    def wait(self, until: float) -> None:
        """Wait until the monotonic time ``until``, the next request, or the end of the requests."""
        while True:
            self.beat()
            left = 0.0 if self._news else until - monotonic()
            # Not shorter: a full pipe, whose state stays unwritten, must not keep this loop busy.
            self._read(min(left, max(self._next_beat() - monotonic(), SHORTEST_SILENCE)))
            if self._news or left <= 0:
                return

    def heartbeat(self, interruptible: bool = True) -> None:
        """Read requests and send a heartbeat during a wait on the network."""
        self._read(0.0)
        self.beat()

    def send(self, line: bytes) -> None:
        """Write one line, which ends with a newline, and wait for room where the pipe is full."""
        rest = memoryview(line)
        while rest:
            rest = rest[os.write(self._pipes.answers, rest) :]
        self._wrote_at = monotonic()

    def show(self, state: bytes) -> None:
        """Take the present state, a line of at most LARGEST_LINE bytes.

        It is written when it has changed, and as the heartbeat.
        """
        self._state = state
        self.beat()

    def beat(self) -> None:
        """Write the state if that is due and the pipe has room: a full pipe is not being read."""
        if monotonic() >= self._next_beat() and self._room.poll(0):
            self.send(self._state)
            self._written = self._state

    def _next_beat(self) -> float:
        return self._wrote_at + (BEAT if self._state == self._written else SHORTEST_SILENCE)

    def _read(self, seconds: float) -> None:
        ready = {descriptor for descriptor, _ in self._poll.poll(max(seconds, 0.0) * 1000)}
        if self._pipes.lifeline in ready:
            raise StopRequested("LIFELINE")
        if self._pipes.requests in ready:
            self._unread += self._lines.read()
            if self._lines.ended:
                self._poll.unregister(self._pipes.requests)
                self.finishing = True
            self._news = self.finishing or bool(self._unread)
