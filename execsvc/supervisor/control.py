"""The one door into the supervisor: a unix stream socket, one JSON line each way.

Nobody who knocks can make the loop wait: requests are small, answers are buffered, and whoever
takes longer than a few seconds is shown out.
"""

from __future__ import annotations

import json
import selectors
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from execsvc.supervisor.loop_clock import LoopClock
from execsvc.supervisor.timers import Timers

LARGEST_REQUEST = 64 * 1024
MOST_VISITORS = 64
PATIENCE = 10.0
"""Seconds that one visit may take."""
KEY = "\0control"

Answerer = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(eq=False)
class _Visitor:
    connection: socket.socket
    until: float
    request: bytearray = field(default_factory=bytearray)
    answer: memoryview = field(default_factory=lambda: memoryview(b""))


class ControlSocket:
    """Takes requests at ``door`` and sends what ``answer`` returns for them."""

    def __init__(
        self,
        door: socket.socket,
        selector: selectors.BaseSelector,
        clock: LoopClock,
        timers: Timers,
        answer: Answerer,
    ) -> None:
        self._door = door
        self._selector = selector
        self._clock = clock
        self._timers = timers
        self._answer = answer
        self._visitors: list[_Visitor] = []
        selector.register(door, selectors.EVENT_READ, self._welcome)

    def due(self) -> None:
        """Show out whoever takes too long."""
        for visitor in [v for v in self._visitors if v.until <= self._clock.now]:
            self._leave(visitor)
        if self._visitors:
            self._timers.ask(KEY, min(visitor.until for visitor in self._visitors))

    def _welcome(self) -> None:
        try:
            connection, _address = self._door.accept()
        except OSError:
            return  # the visitor is gone again, or there is no descriptor left for it
        connection.setblocking(False)
        if len(self._visitors) >= MOST_VISITORS:
            self._leave(min(self._visitors, key=lambda visitor: visitor.until))
        visitor = _Visitor(connection, self._clock.now + PATIENCE)
        self._visitors.append(visitor)
        self._selector.register(connection, selectors.EVENT_READ, partial(self._hear, visitor))
        self._timers.ask(KEY, visitor.until)

    def _hear(self, visitor: _Visitor) -> None:
        if visitor not in self._visitors:
            return  # shown out in this very turn, to make room for somebody else
        try:
            part = visitor.connection.recv(LARGEST_REQUEST)
        except BlockingIOError:
            return
        except OSError:
            part = b""
        visitor.request += part
        line, newline, _rest = visitor.request.partition(b"\n")
        if newline:
            self._reply(visitor, bytes(line))
        elif not part or len(visitor.request) > LARGEST_REQUEST:
            self._leave(visitor)

    def _reply(self, visitor: _Visitor, line: bytes) -> None:
        try:
            request = json.loads(line)
        except (ValueError, RecursionError):
            request = None
        if isinstance(request, dict):
            answer = self._answer(request)
        else:
            answer = {"error": "the request is not a JSON object"}
        visitor.answer = memoryview(json.dumps(answer).encode() + b"\n")
        speak = partial(self._speak, visitor)
        self._selector.modify(visitor.connection, selectors.EVENT_WRITE, speak)
        self._speak(visitor)

    def _speak(self, visitor: _Visitor) -> None:
        if visitor not in self._visitors:
            return
        try:
            visitor.answer = visitor.answer[visitor.connection.send(visitor.answer) :]
        except BlockingIOError:
            return
        except OSError:
            visitor.answer = memoryview(b"")
        if not visitor.answer:
            self._leave(visitor)

    def _leave(self, visitor: _Visitor) -> None:
        if visitor not in self._visitors:
            return  # it was shown out earlier in this turn of the loop, to make room
        self._visitors.remove(visitor)
        self._selector.unregister(visitor.connection)
        visitor.connection.close()
