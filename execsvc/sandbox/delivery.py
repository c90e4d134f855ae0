"""Sends a reply over the wire, in the manner that it states."""

from __future__ import annotations

import os
import select
import socket
import struct
import weakref
from email.utils import format_datetime
from http import HTTPStatus

from execsvc.clock import now
from execsvc.sandbox.wire import Manner, Reply

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_DRIP_SECONDS = 1.0
_MORE_THAN_COMES = 100


class Halt:
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


def deliver(connection: socket.socket, reply: Reply, halt: Halt) -> bool:
    """Send ``reply``. False when the connection cannot be used again. Raises OSError."""
    match reply.manner:
        case Manner.PLAIN:
            connection.sendall(_head(reply, len(reply.body)) + reply.body)
            return True
        case Manner.RESET:
            _reset(connection)
        case Manner.HANG:
            halt.wait(reply.seconds, connection)
        case Manner.DRIP:
            connection.sendall(_head(reply, len(reply.body)))
            _drip(connection, reply.body, reply.seconds, halt)
        case Manner.DRIP_HEAD:
            _drip(connection, _head(reply, len(reply.body)) + reply.body, reply.seconds, halt)
        case Manner.LIE:
            connection.sendall(_head(reply, len(reply.body) + _MORE_THAN_COMES) + reply.body)
        case Manner.ENDLESS_HEAD:
            _endless_head(connection, halt)
        case Manner.CLOSE:
            pass
    return False


def _head(reply: Reply, length: int) -> bytes:
    try:
        phrase = HTTPStatus(reply.status).phrase
    except ValueError:
        phrase = "Unheard Of"
    headers = {
        "Date": format_datetime(now(), usegmt=True),
        "Content-Type": "application/json",
        "Content-Length": str(length),
        **reply.headers,
    }
    lines = [f"HTTP/1.1 {reply.status} {phrase}", *(f"{k}: {v}" for k, v in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _reset(connection: socket.socket) -> None:
    """Close so that the peer gets a RST; a plain close() would wait for the handler's files."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    socket.close(connection.detach())


def _drip(connection: socket.socket, data: bytes, seconds: float | None, halt: Halt) -> None:
    for place in range(len(data)):
        connection.sendall(data[place : place + 1])
        if not halt.wait(_DRIP_SECONDS if seconds is None else seconds, connection):
            return


def _endless_head(connection: socket.socket, halt: Halt) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    number = 0
    while halt.wait(0, connection):
        lines = (f"X-{number + place}: {'x' * 100}\r\n" for place in range(100))
        connection.sendall("".join(lines).encode())
        number += 100
