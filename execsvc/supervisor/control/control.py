"""The server at the control socket, a unix stream socket: one JSON line each way.

No client can make the loop wait: requests are small, answers are buffered, and the connection of a
client that takes longer than ``PATIENCE`` is closed.
"""

from __future__ import annotations

import json
import selectors
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from loguru import logger

from execsvc.errors import ExecsvcError
from execsvc.masking import masked_json
from execsvc.repeats import Repeats
from execsvc.supervisor.control.listener import ControlListener
from execsvc.supervisor.processes.loop_clock import LoopClock
from execsvc.supervisor.processes.timers import Timers

LARGEST_REQUEST = 64 * 1024
MOST_VISITORS = 64
PATIENCE = 10.0
"""Seconds that one connection may take."""
KEY = "\0control"
LOOK_KEY = "\0control path"
LOOK = 2.0
"""Seconds between two checks that the path still leads to this socket."""

_SAID_AGAIN = 600.0

Answerer = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(eq=False)
class _Visitor:
    connection: socket.socket
    until: float
    request: bytearray = field(default_factory=bytearray)
    answer: memoryview = field(default_factory=lambda: memoryview(b""))


class ControlSocket:
    """Takes requests at ``listener`` and sends the document that ``answer`` returns for each."""

    def __init__(
        self,
        listener: ControlListener,
        selector: selectors.BaseSelector,
        clock: LoopClock,
        timers: Timers,
        answer: Answerer,
    ) -> None:
        self._listener = listener
        self._selector = selector
        self._clock = clock
        self._timers = timers
        self._answer = answer
        self._visitors: list[_Visitor] = []
        self._repeats = Repeats(_SAID_AGAIN)
        selector.register(listener.socket, selectors.EVENT_READ, self._welcome)
        timers.ask(LOOK_KEY, clock.now + LOOK)

    def look(self) -> None:
        """Make the socket again when its path was removed, or leads to another one."""
        self._timers.ask(LOOK_KEY, self._clock.now + LOOK)
        if self._listener.is_reachable():
            return
        self._selector.unregister(self._listener.socket)
        try:
            self._listener.renew()
        except (ExecsvcError, OSError) as error:
            if self._repeats.note("lost", self._clock.now) is not None:
                logger.bind(event="control_lost").critical(
                    "the control socket is gone and cannot be made again: {}; until it is, the only "
                    "command that reaches the service is execsvc halt",
                    error,
                )
        else:
            self._repeats.forget("lost")
            logger.bind(event="control_renewed").warning(
                "the control socket was gone and is made again"
            )
        self._selector.register(self._listener.socket, selectors.EVENT_READ, self._welcome)

    def close(self) -> None:
        """Remove the path: new connections fail from now on, as without a supervisor."""
        self._listener.remove()

    def due(self) -> None:
        """Close the connections of clients that take too long."""
        for visitor in [v for v in self._visitors if v.until <= self._clock.now]:
            self._leave(visitor)
        if self._visitors:
            self._timers.ask(KEY, min(visitor.until for visitor in self._visitors))

    def _welcome(self) -> None:
        try:
            connection, _address = self._listener.socket.accept()
        except OSError:
            return  # the client is gone again, or there is no descriptor left for it
        connection.setblocking(False)
        if len(self._visitors) >= MOST_VISITORS:
            self._leave(min(self._visitors, key=lambda visitor: visitor.until))
        visitor = _Visitor(connection, self._clock.now + PATIENCE)
        self._visitors.append(visitor)
        self._selector.register(connection, selectors.EVENT_READ, partial(self._hear, visitor))
        self._timers.ask(KEY, visitor.until)

    def _hear(self, visitor: _Visitor) -> None:
        if visitor not in self._visitors:
            return  # closed in this very turn, to make room for another client
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
        visitor.answer = memoryview(masked_json(answer).encode() + b"\n")
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
            return  # closed earlier in this turn of the loop, to make room
        self._visitors.remove(visitor)
        self._selector.unregister(visitor.connection)
        visitor.connection.close()
