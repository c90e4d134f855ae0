"""The HTTP client over TLS."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest
from support.wire_server import LONG, Serve, drip, fault, get, http

from execsvc.clients import sockets
from execsvc.clients.http import HttpClient, NotSent


@pytest.fixture
def trusting(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """The server's side of TLS, which the client trusts."""
    sockets.ssl_context.cache_clear()
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    sockets.ssl_context()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate)
    return server


@pytest.fixture(autouse=True)
def _fresh_tls() -> Any:
    yield
    sockets.ssl_context.cache_clear()


def test_tls_works_and_keeps_the_connection(serve: Serve, trusting: ssl.SSLContext) -> None:
    body = b'"' + b"x" * 500_000 + b'"'
    server = serve(http("200 OK", body), trusting)
    client = HttpClient(server.url, None, LONG)
    for _ in range(3):
        assert len(client.get("GET /x", "/x", {})) == 500_000
    assert server.connections == 1
    assert client.post("POST /order", "/order", "{}" * 50_000, LONG).status == 200


def test_the_certificates_are_read_once(
    serve: Serve, trusting: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(http("200 OK", b"{}"), trusting)
    loads: list[Any] = []
    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", lambda *a, **k: loads.append(a))
    get(server.url)
    assert loads == []


@pytest.mark.parametrize("start", [b"HTTP/1.1 200 OK\r\n\r\n[", b"HTTP/1.1 200 OK\r\nX: ", b""])
def test_dripping_over_tls_gets_no_more_time(
    serve: Serve, trusting: ssl.SSLContext, start: bytes
) -> None:
    server = serve(lambda connection, _: drip(connection, start), trusting)
    beats: list[bool] = []
    assert "no answer within 0.9 s" in fault(server.url, 0.9, heartbeat=beats.append)
    assert len(beats) >= 3


def test_a_handshake_that_never_ends_sent_nothing(serve: Serve, trusting: ssl.SSLContext) -> None:
    server = serve(lambda connection, _: None)
    client = HttpClient(server.url.replace("http:", "https:"), None, LONG)
    with pytest.raises(NotSent, match=r"no answer within 0\.5 s"):
        client.post("POST /order", "/order", "{}", 0.5)


def test_a_certificate_that_is_not_trusted_sends_nothing(serve: Serve, certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = serve(http("200 OK", b"{}"), context)
    with pytest.raises(NotSent, match="certificate verify failed"):
        HttpClient(server.url, None, LONG).post("POST /order", "/order", "{}", LONG)
    assert server.requests == []


def test_a_certificate_of_another_name_sends_nothing(
    serve: Serve, trusting: ssl.SSLContext
) -> None:
    server = serve(http("200 OK", b"{}"), trusting)
    url = server.url.replace("127.0.0.1", "127.1")  # the same address by another name
    with pytest.raises(NotSent, match=r"not valid for .127.1"):
        HttpClient(url, None, LONG).post("POST /order", "/order", "{}", LONG)
    assert server.requests == []
