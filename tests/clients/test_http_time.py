"""The HTTP client: how long it takes, how often it tries, and what was sent."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest
from support.wire_server import LONG, Serve, drip, fault, get, http

from execsvc.clients.http import HttpClient, NotSent
from execsvc.errors import StopRequested, Unavailable


@pytest.mark.parametrize(
    "start",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n[",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFF\r\n[",
        b"HTTP/1.1 200 OK\r\n\r\n[",
        b"HTTP/1.1 200 OK\r\nX-Long: ",
        b"HTTP/1.1 200 ",
        b"",
    ],
)
def test_a_server_that_drips_gets_no_more_time_than_any_other(serve: Serve, start: bytes) -> None:
    server = serve(lambda connection, _: drip(connection, start))
    beats: list[bool] = []
    began = time.monotonic()
    assert fault(server.url, 0.9, heartbeat=beats.append) == "GET /x: no answer within 0.9 s"
    assert time.monotonic() - began < LONG
    assert len(beats) >= 3
    assert all(beats)


def test_silent_server_is_waited_for_with_heartbeats(serve: Serve) -> None:
    server = serve(lambda connection, _: connection.recv(1))
    beats: list[bool] = []
    fault(server.url, 0.9, heartbeat=beats.append)
    assert len(beats) >= 3


def test_interim_answers_without_end_run_into_the_deadline(serve: Serve) -> None:
    server = serve(lambda connection, _: drip(connection, b"", b"HTTP/1.1 100 Continue\r\n\r\n"))
    assert "no answer within 0.5 s" in fault(server.url, 0.5)


def test_a_stop_cuts_a_read_short_but_never_an_order(serve: Serve) -> None:
    def stop(interruptible: bool) -> None:
        if interruptible:
            raise StopRequested

    def slow(connection: socket.socket, request: bytes) -> None:
        time.sleep(0.6)
        connection.sendall(http("200 OK", b"{}"))

    server = serve(slow)
    client = HttpClient(server.url, None, LONG, stop)
    with pytest.raises(StopRequested):
        client.get("GET /x", "/x", {})
    assert client.post("POST /order", "/order", "{}", LONG).status == 200


def test_reads_stop_trying_when_the_deadline_would_not_allow_more(serve: Serve) -> None:
    def slow(connection: socket.socket, _: bytes) -> None:
        time.sleep(0.4)
        connection.sendall(http("500 Oops"))

    server = serve(slow)
    fault(server.url, 0.5)
    assert len(server.requests) <= 2


def test_connection_that_is_not_accepted_ends_in_time() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        client = HttpClient(f"http://127.0.0.1:{port}", None, LONG)
        with pytest.raises(NotSent, match=r"no answer within 0\.5 s"):
            client.post("POST /order", "/order", "{}", 0.5)
        for one in waiting:
            one.close()


def test_a_read_is_tried_again_after_a_5xx_or_a_broken_connection(serve: Serve) -> None:
    server: Any = None

    def script(connection: socket.socket, _: bytes) -> None:
        if len(server.requests) == 1:
            connection.sendall(http("500 Oops", b'{"detail": "x"}'))
        elif len(server.requests) == 2:
            connection.close()
        else:
            connection.sendall(http("200 OK", b"{}"))

    server = serve(script)
    assert get(server.url) == {}
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("answer", "requests"),
    [
        (http("500 Oops", b'{"detail": "why"}'), 3),
        (http("400 Bad", b'{"detail": "why"}'), 1),
        (http("429 Slow", b'{"detail": "why"}', Retry_After="7"), 1),
        (http("503 Busy", b'{"detail": "why"}', Retry_After="7"), 1),
        (http("422 No", b'{"detail": [{"msg": "why"}]}'), 1),
    ],
)
def test_read_is_retried_by_status_and_count(serve: Serve, answer: bytes, requests: int) -> None:
    server = serve(answer)
    assert "why" in fault(server.url)
    assert len(server.requests) == requests


def test_the_error_of_a_read_is_that_of_its_last_attempt(serve: Serve) -> None:
    server: Any = None

    def script(connection: socket.socket, _: bytes) -> None:
        if len(server.requests) == 1:
            connection.sendall(http("503 Busy", b'{"detail": "warming up"}'))
        else:
            connection.close()

    server = serve(script)
    text = fault(server.url)
    assert len(server.requests) == 3
    assert "warming up" not in text
    assert "closed" in text


def test_post_is_sent_once_whatever_its_outcome(serve: Serve) -> None:
    server = serve(lambda connection, _: connection.close())
    with pytest.raises(Unavailable) as raised:
        HttpClient(server.url, None, LONG).post("POST /order", "/order", "{}", LONG)
    assert not isinstance(raised.value, NotSent)
    assert len(server.requests) == 1


def test_a_refused_connection_was_never_made() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    client = HttpClient(f"http://127.0.0.1:{port}", None, LONG)
    with pytest.raises(NotSent, match="POST /order: cannot connect: Connection refused"):
        client.post("POST /order", "/order", "{}", LONG)


def test_a_name_without_address_is_a_connection_never_made() -> None:
    client = HttpClient("http://no-such-host.invalid", None, LONG)
    with pytest.raises(NotSent, match="cannot connect"):
        client.post("POST /order", "/order", "{}", LONG)
