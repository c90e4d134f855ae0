"""Bytes that a service may put on the wire in place of an answer."""

from __future__ import annotations

import gzip
import json
import socket
import time

from support.liar import Lie
from support.wire_server import http

from execsvc.clients.answers import LARGEST_BODY


def ok(body: object) -> bytes:
    """A 200 with a body: bytes as they are, anything else as JSON."""
    return http("200 OK", body if isinstance(body, bytes) else json.dumps(body).encode())


def drip(connection: socket.socket, truth: bytes) -> None:
    """A byte at a time, until the client is gone."""
    for place in range(len(truth)):
        connection.sendall(truth[place : place + 1])
        time.sleep(0.2)


def endless_head(connection: socket.socket, _: bytes) -> None:
    """Headers without end."""
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for number in range(100_000):
        connection.sendall(b"X-%d: y\r\n" % number)


def flood(connection: socket.socket, _: bytes) -> None:
    """More than is taken, without a length."""
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n[")
    for _ in range(2 * LARGEST_BODY // 65536):
        connection.sendall(b" " * 65536)


WIRE: dict[str, Lie] = {
    "nothing": b"",
    "no_http": b"\x16\x03\x01\x00\xff\r\n\r\n",
    "html": http("200 OK", b"<html>Bad Gateway</html>"),
    "gzip": http("200 OK", gzip.compress(b"{}", mtime=0), Content_Encoding="gzip"),
    "continue": b"HTTP/1.1 100 Continue\r\n\r\n",
    "redirect": http("302 Found", b"", Location="http://127.0.0.1:9/"),
    "bad_request": http("400 No", b'{"detail": "\\ud800"}'),
    "fault": http("500 No", b"[" * 5000),
    "bom": ok(b"\xef\xbb\xbf{}"),
    "no_utf8": ok(b'{"symbol": "\xff"}'),
    "nan": ok(b'{"symbol": "BTC/USDT", "price": NaN}'),
    "brackets": ok(b"[" * (LARGEST_BODY - 1)),
    "braces": ok(b'{"a":' * (LARGEST_BODY // 5 - 1)),
    "cut": b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n[]",
    "short_length": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n[]",
    "negative_length": b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n[]",
    "bad_chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n[]\r\n",
    "drip": drip,
    "endless_head": endless_head,
    "flood": flood,
}
