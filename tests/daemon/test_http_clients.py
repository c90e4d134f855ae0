"""The HTTP side of the real program against clients that mean no good."""

from __future__ import annotations

import json
import os
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from support.bot_process import bot_row
from support.daemon import Daemon
from support.exchange import Exchange
from support.lasting import Lasting
from support.newcomer import gives_nothing_away, healthy
from support.verdicts import CONTROL_PLANE, listed_again, titled

MOST_CLIENTS = 10_000


def raw(daemon: Daemon, request: bytes, within: float = 30.0) -> bytes:
    """All that comes back on one connection."""
    with socket.create_connection(("127.0.0.1", daemon.port), within) as client:
        client.sendall(request)
        heard = b""
        while True:
            try:
                part = client.recv(65536)
            except ConnectionResetError:
                return heard
            if not part:
                return heard
            heard += part


def asked(request_line: bytes, *headers: bytes) -> bytes:
    """A request that closes its connection."""
    return b"\r\n".join([request_line, b"Host: x", b"Connection: close", *headers, b"", b""])


REFUSED = [
    (b"GET /nothing HTTP/1.1", 404),
    (b"GET /status/ HTTP/1.1", 404),
    (b"GET http://elsewhere HTTP/1.1", 404),
    (b"GET /static/../../etc/passwd HTTP/1.1", 404),
    (b"GET /\xff\xfe HTTP/1.1", 400),
    (b"GET /%ff%00 HTTP/1.1", 404),
    (b"GET http://elsewhere/nothing HTTP/1.1", 404),
    (b"POST /status HTTP/1.1", 405),
    (b"DELETE /health HTTP/1.1", 405),
    (b"OPTIONS /status HTTP/1.1", 405),
    (b"TRACE /status HTTP/1.1", 405),
    (b"GET /poll HTTP/1.1", 405),
    (b"BREW /status HTTP/1.1", 405),
    (b"get /status HTTP/1.1", 400),
    (b"GET /status HTTP/9.9", 400),
    (b"GET /status", 400),
    (b"\x16\x03\x01 x y", 400),
    (b"GET /" + b"x" * 10_000 + b" HTTP/1.1", 414),
]


def test_every_refusal_is_json(shared: Daemon) -> None:
    for request_line, status in REFUSED:
        head, _, body = raw(shared, asked(request_line)).partition(b"\r\n\r\n")
        assert f" {status} ".encode() in head.split(b"\r\n")[0], (request_line, head)
        assert "error" in json.loads(body)
        gives_nothing_away(head + body)


BAD_HEADERS = [
    (b"X: " + b"y" * 10_000, 431),
    (b"\r\n".join(b"X-%d: y" % n for n in range(200)), 431),
    (b"Content-Length: -1", 400),
    (b"Content-Length: 5\r\nContent-Length: 6", 400),
    (b"Content-Length: 1\r\nTransfer-Encoding: chunked", 400),
    (b"Transfer-Encoding: nonsense", 400),
    (b"No colon at all", 400),
    (b"X\x00: y", 400),
]


def test_bad_headers_are_refused_in_json(shared: Daemon) -> None:
    for header, status in BAD_HEADERS:
        request = asked(b"GET /status HTTP/1.1", header)
        head, _, body = raw(shared, request).partition(b"\r\n\r\n")
        assert f" {status} ".encode() in head.split(b"\r\n")[0], (header, head)
        assert "error" in json.loads(body)
        gives_nothing_away(head + body)


def test_head_has_no_body(shared: Daemon) -> None:
    head, _, body = raw(shared, asked(b"HEAD /health HTTP/1.1")).partition(b"\r\n\r\n")
    assert b" 200 " in head
    assert body == b""
    gives_nothing_away(head)


def test_of_a_pipeline_the_first_request_is_answered(shared: Daemon) -> None:
    one = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
    answer = raw(shared, one * 3 + asked(b"GET /nothing HTTP/1.1"))
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"\r\nConnection: close\r\n" in answer


def test_a_body_where_none_is_wanted(shared: Daemon) -> None:
    body = b"Content-Length: 5\r\n\r\nhello"
    assert b" 202 " in raw(shared, asked(b"POST /poll HTTP/1.1", body)).split(b"\r\n")[0]
    assert b" 200 " in raw(shared, asked(b"GET /health HTTP/1.1", body)).split(b"\r\n")[0]
    huge = asked(b"POST /poll HTTP/1.1", b"Content-Length: 99999999999")
    with socket.create_connection(("127.0.0.1", shared.port), 60) as client:
        client.sendall(huge)
        assert client.recv(65536).startswith(b"HTTP/1.1 ")
    healthy(shared)


def test_slow_clients_keep_nobody_waiting(shared: Daemon) -> None:
    """Each of them may hold a thread for a while; together they must not hold all of them."""
    port = shared.port
    with ExitStack() as stack:
        slow = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port), 30))
            for _ in range(300)
        ]
        for client in slow:
            client.sendall(b"GET /status HTTP/1.1\r\nHost: x\r\nX-")
        for _ in range(2):
            healthy(shared)
            for client in slow:
                try:
                    client.sendall(b"a")
                except OSError:
                    continue  # it was hung up on
    healthy(shared)


def test_readers_that_never_read_keep_nobody_waiting(shared: Daemon) -> None:
    port = shared.port
    with ExitStack() as stack:
        for _ in range(100):
            deaf = socket.socket()
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            stack.enter_context(deaf)
            deaf.connect(("127.0.0.1", port))
            deaf.sendall(b"GET /status HTTP/1.1\r\nHost: x\r\n\r\n" * 20)
        healthy(shared)


def test_thousands_of_connections_disturb_nobody(daemon: Daemon, exchange: Exchange) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        exchange.list_bots(bot_row())
        daemon.start()
        daemon.until_holding()
        count = min(MOST_CLIENTS, hard - 1000)
        pid, port, ticks = daemon.pid, daemon.port, daemon.bot()["ticks"]
        with ExitStack() as stack:
            for number in range(count):
                client = stack.enter_context(socket.socket())
                client.setblocking(False)
                client.connect_ex(("127.0.0.1", port))
                if number % 1000 == 0:
                    listed_again(exchange, 1)
            assert daemon.command("status").returncode == 0
        healthy(daemon, 120)
        assert daemon.bot()["ticks"] > ticks
        assert daemon.status()["pid"] == pid
        assert daemon.stop() == 0
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture(scope="module")
def shared(lasting: Lasting) -> Iterator[Daemon]:
    """A daemon without bots."""
    yield lasting.daemon.start()
    assert lasting.daemon.stop() == 0


def test_the_worker_is_replaced_when_it_is_killed(shared: Daemon) -> None:
    planes = titled(shared, CONTROL_PLANE)
    assert planes
    for process in planes:
        process.kill()  # the worker may have ended with its arbiter
    healthy(shared)
    assert os.getpid() not in {p.pid for p in shared.family()}
