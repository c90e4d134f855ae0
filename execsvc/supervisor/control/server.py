"""The server at the control socket, a unix stream socket: one JSON line each way.

No client can make the loop wait: requests are small, answers are buffered, and the connection of a
client that takes longer than ``TIME_LIMIT`` is closed.
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
from execsvc.supervisor.processes.loop_clock import LoopClock, Timers

LARGEST_REQUEST = 64 * 1024
MOST_CLIENTS = 64
TIME_LIMIT = 10.0
"""Seconds that one connection may take."""
KEY = "\0control"
PATH_KEY = "\0control path"
PATH_CHECK = 2.0
"""Seconds between two checks that the path still leads to this socket."""

_LOGGED_AGAIN = 600.0

Answerer = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(eq=False)
class _Client:
    connection: socket.socket
    until: float
    request: bytearray = field(default_factory=bytearray)
    answer: memoryview = field(default_factory=lambda: memoryview(b""))


class ControlServer:
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
        self._clients: list[_Client] = []
        self._repeats = Repeats(_LOGGED_AGAIN)
        selector.register(listener.socket, selectors.EVENT_READ, self._accept)
        timers.ask(PATH_KEY, clock.now + PATH_CHECK)

    def check_path(self) -> None:
        """Make the socket again when its path was removed, or leads to another one."""
        self._timers.ask(PATH_KEY, self._clock.now + PATH_CHECK)
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
        self._selector.register(self._listener.socket, selectors.EVENT_READ, self._accept)

    def close(self) -> None:
        """Remove the path: new connections fail from now on, as without a supervisor."""
        self._listener.remove()

    def due(self) -> None:
        """Close the connections of clients that take too long."""
        for client in [v for v in self._clients if v.until <= self._clock.now]:
            self._close(client)
        if self._clients:
            self._timers.ask(KEY, min(client.until for client in self._clients))

    def _accept(self) -> None:
        try:
            connection, _address = self._listener.socket.accept()
        except OSError:
            return  # the client is gone again, or there is no descriptor left for it
        connection.setblocking(False)
        if len(self._clients) >= MOST_CLIENTS:
            self._close(min(self._clients, key=lambda client: client.until))
        client = _Client(connection, self._clock.now + TIME_LIMIT)
        self._clients.append(client)
        self._selector.register(connection, selectors.EVENT_READ, partial(self._receive, client))
        self._timers.ask(KEY, client.until)

    def _receive(self, client: _Client) -> None:
        if client not in self._clients:
            return  # closed in this very turn, to make room for another client
        try:
            part = client.connection.recv(LARGEST_REQUEST)
        except BlockingIOError:
            return
        except OSError:
            part = b""
        client.request += part
        line, newline, _rest = client.request.partition(b"\n")
        if newline:
            self._reply(client, bytes(line))
        elif not part or len(client.request) > LARGEST_REQUEST:
            self._close(client)

    def _reply(self, client: _Client, line: bytes) -> None:
        try:
            request = json.loads(line)
        except (ValueError, RecursionError):
            request = None
        if isinstance(request, dict):
            answer = self._answer(request)
        else:
            answer = {"error": "the request is not a JSON object"}
        client.answer = memoryview(masked_json(answer).encode() + b"\n")
        send = partial(self._send, client)
        self._selector.modify(client.connection, selectors.EVENT_WRITE, send)
        self._send(client)

    def _send(self, client: _Client) -> None:
        if client not in self._clients:
            return
        try:
            client.answer = client.answer[client.connection.send(client.answer) :]
        except BlockingIOError:
            return
        except OSError:
            client.answer = memoryview(b"")
        if not client.answer:
            self._close(client)

    def _close(self, client: _Client) -> None:
        if client not in self._clients:
            return  # closed earlier in this turn of the loop, to make room
        self._clients.remove(client)
        self._selector.unregister(client.connection)
        client.connection.close()
