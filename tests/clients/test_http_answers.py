"""The HTTP client against a server that answers badly on a real socket."""

from __future__ import annotations

import gzip
import socket
from decimal import Decimal

import pytest
from support.wire_server import LONG, Serve, fault, get, http

from execsvc.clients.answers import LARGEST_BODY
from execsvc.clients.http import HttpClient, segment


def test_numbers_are_exact(serve: Serve) -> None:
    server = serve(http("200 OK", b'{"a": 0.1, "b": 88162.080, "c": 3, "d": "4"}'))
    assert get(server.url) == {"a": Decimal("0.1"), "b": Decimal("88162.080"), "c": 3, "d": "4"}


def test_request_path_and_headers_are_exact(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    server = serve(http("200 OK", b"{}"))
    client = HttpClient(server.url + "/api", "hush", LONG)
    client.get("GET /x", "/x/" + segment("../ä b/."), {"symbol": "BTC/USDT", "limit": 5})
    head = server.requests[0].decode()
    assert head.startswith("GET /api/x/..%2F%C3%A4%20b%2F.?symbol=BTC%2FUSDT&limit=5 HTTP/1.1")
    assert "Accept-Encoding: identity\r\n" in head
    assert "Authorization: Bearer hush\r\n" in head


@pytest.mark.parametrize("name", [".", ".."])
def test_dots_are_not_resolved(serve: Serve, name: str) -> None:
    server = serve(http("200 OK", b"{}"))
    HttpClient(server.url, None, LONG).get("GET /x", f"/balance/{segment(name)}", {})
    path = server.requests[0].split()[1]
    assert path == b"/balance/" + b"%2E" * len(name)


def test_reads_share_a_connection(serve: Serve) -> None:
    server = serve(http("200 OK", b"{}"))
    client = HttpClient(server.url, None, LONG)
    for _ in range(3):
        client.get("GET /x", "/x", {})
    assert (len(server.requests), server.connections) == (3, 1)


def test_a_connection_that_was_closed_meanwhile_is_made_anew(serve: Serve) -> None:
    def once(connection: socket.socket, _: bytes) -> None:
        connection.sendall(http("200 OK", b"{}"))
        connection.close()

    server = serve(once)
    client = HttpClient(server.url, None, LONG)
    for _ in range(5):
        assert client.get("GET /x", "/x", {}) == {}


def test_each_post_has_a_connection_of_its_own(serve: Serve) -> None:
    server = serve(http("200 OK", b"{}"))
    client = HttpClient(server.url, None, LONG)
    for _ in range(3):
        client.post("POST /order", "/order", "{}", LONG)
        client.get("GET /x", "/x", {})
    assert server.connections == 4


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n{}",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 99999 OK\r\n\r\n",
        b"\x16\x03\x01 no http at all\r\n\r\n",
        b"",
        http("200 OK", b""),
        http("200 OK", b"{"),
        http("200 OK", b'{"a": NaN}'),
        http("200 OK", b'{"a": Infinity}'),
        http("200 OK", b'"\xff"'),
        http("200 OK", b"[" * 100_000),
        http("200 OK", b"<html>"),
        http("204 No Content"),
        http("200 OK", gzip.compress(b"{}", mtime=0), Content_Encoding="gzip"),
        http("200 OK", b"{}", Content_Encoding="br"),
        http("302 Found", b"", Location="http://127.0.0.1:9/"),
        http("304 Not Modified"),
        http("404 Not Found", b'{"detail": "no such bot"}'),
    ],
)
def test_a_bad_answer_is_unavailable(serve: Serve, answer: bytes) -> None:
    def once(connection: socket.socket, _: bytes) -> None:
        connection.sendall(answer)
        connection.close()

    fault(serve(once).url)


@pytest.mark.parametrize("huge", [b"9" * 5000, b"1e999999999", b"0." + b"1" * 5000])
def test_a_number_of_absurd_size_disturbs_nothing_else(serve: Serve, huge: bytes) -> None:
    server = serve(http("200 OK", b'{"a": 1.5, "b": ' + huge + b"}"))
    assert get(server.url) == {"a": Decimal("1.5"), "b": huge.decode()}


@pytest.mark.parametrize("framing", ["length", "chunked", "until closed"])
def test_more_than_8_mib_are_refused_and_not_read(serve: Serve, framing: str) -> None:
    sent = 0
    chunk = b" " * 65536

    def flood(connection: socket.socket, _: bytes) -> None:
        nonlocal sent
        head = {
            "length": b"Content-Length: 999999999999\r\n",
            "chunked": b"Transfer-Encoding: chunked\r\n",
            "until closed": b"",
        }[framing]
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n")
        while True:
            connection.sendall(b"10000\r\n" + chunk + b"\r\n" if framing == "chunked" else chunk)
            sent += len(chunk)

    assert "larger than 8388608 bytes" in fault(serve(flood).url)
    assert sent < 4 * LARGEST_BODY


def test_8_mib_are_taken(serve: Serve) -> None:
    body = b'"' + b"x" * (LARGEST_BODY - 2) + b'"'
    assert len(get(serve(http("200 OK", body)).url)) == LARGEST_BODY - 2


def test_a_redirect_is_not_followed_and_its_body_not_read(serve: Serve) -> None:
    target = serve(http("200 OK", b"{}"))

    def redirect(connection: socket.socket, _: bytes) -> None:
        connection.sendall(f"HTTP/1.1 302 Found\r\nLocation: {target.url}\r\n\r\n".encode())
        while True:
            connection.sendall(b" " * 65536)

    assert "302" in fault(serve(redirect).url)
    assert target.requests == []


def test_cookies_are_not_kept(serve: Serve) -> None:
    server = serve(http("200 OK", b"{}", Set_Cookie="a=b; Path=/"))
    client = HttpClient(server.url, None, LONG)
    client.get("GET /x", "/x", {})
    client.get("GET /x", "/x", {})
    assert b"cookie" not in server.requests[1].lower()


def test_the_token_is_in_no_error_even_when_it_is_echoed(serve: Serve) -> None:
    server = serve(http("401 No", b'{"detail": "bad token hush-hush"}'))
    text = fault(server.url, token="hush-hush")
    assert "bad token ***" in text
