"""Requests and replies, the faults a reply can have, and the way a reply is sent."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from email.utils import format_datetime
from enum import Enum
from http import HTTPStatus
from typing import Any

from execsvc.clock import now
from execsvc.sandbox.waits import StopSignal

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_DRIP_SECONDS = 1.0
_MORE_THAN_COMES = 100


class Manner(str, Enum):
    """The way in which a reply goes over the wire."""

    PLAIN = "plain"
    RESET = "reset"
    """Nothing is sent; the connection is reset."""
    CLOSE = "close"
    """Nothing is sent; the connection is closed."""
    HANG = "hang"
    """Nothing is sent; the connection is held, then closed."""
    DRIP = "drip"
    """The body is sent one byte at a time."""
    DRIP_HEAD = "drip_head"
    """The whole reply is sent one byte at a time."""
    LIE = "lie"
    """Content-Length announces more bytes than are sent."""
    ENDLESS_HEAD = "endless_head"
    """Header lines without an end."""


@dataclass(frozen=True)
class HttpRequest:
    """One request. ``segments`` is the path, percent-decoded after it was split."""

    method: str
    segments: tuple[str, ...]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    waited: float = 0.0
    """Seconds from the arrival of the request's last byte at this machine until it was read."""

    def parsed(self) -> Any:
        """The JSON body, fractions as Decimal. Raises ValueError."""
        return json.loads(self.body or b"null", parse_float=Decimal)


@dataclass(frozen=True)
class HttpReply:
    """One reply. ``seconds``: the length of a hang (None: until the client leaves), or of a byte."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    manner: Manner = Manner.PLAIN
    seconds: float | None = None


def json_reply(value: Any, status: int = 200) -> HttpReply:
    """``value`` as JSON; a Decimal becomes a number, as today's adapter writes it."""
    return HttpReply(status, json_text(value).encode())


def json_text(value: Any) -> str:
    """``value`` as JSON, Decimals as numbers."""
    return json.dumps(value, default=_float)


def refusal(detail: Any, status: int, headers: Mapping[str, str] | None = None) -> HttpReply:
    """An error in the shape of both services."""
    body = json.dumps({"detail": detail}, default=str).encode()
    return HttpReply(status, body, headers or {})


def _float(value: Any) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} is no JSON")


def deliver(connection: socket.socket, reply: HttpReply, stop_signal: StopSignal) -> bool:
    """Send ``reply``. False when the connection cannot be used again. Raises OSError."""
    match reply.manner:
        case Manner.PLAIN:
            connection.sendall(_head(reply, len(reply.body)) + reply.body)
            return True
        case Manner.RESET:
            _reset(connection)
        case Manner.HANG:
            stop_signal.wait(reply.seconds, connection)
        case Manner.DRIP:
            connection.sendall(_head(reply, len(reply.body)))
            _drip(connection, reply.body, reply.seconds, stop_signal)
        case Manner.DRIP_HEAD:
            _drip(
                connection, _head(reply, len(reply.body)) + reply.body, reply.seconds, stop_signal
            )
        case Manner.LIE:
            connection.sendall(_head(reply, len(reply.body) + _MORE_THAN_COMES) + reply.body)
        case Manner.ENDLESS_HEAD:
            _endless_head(connection, stop_signal)
        case Manner.CLOSE:
            pass
    return False


def _head(reply: HttpReply, length: int) -> bytes:
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


def _drip(
    connection: socket.socket, data: bytes, seconds: float | None, stop_signal: StopSignal
) -> None:
    for place in range(len(data)):
        connection.sendall(data[place : place + 1])
        if not stop_signal.wait(_DRIP_SECONDS if seconds is None else seconds, connection):
            return


def _endless_head(connection: socket.socket, stop_signal: StopSignal) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    number = 0
    while stop_signal.wait(0, connection):
        lines = (f"X-{number + place}: {'x' * 100}\r\n" for place in range(100))
        connection.sendall("".join(lines).encode())
        number += 100
