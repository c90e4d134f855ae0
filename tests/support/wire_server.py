"""A loopback server that answers byte by byte as a test wants it."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from support.environment import scrubbed
from support.requirements import require

from execsvc.clients.http import HttpClient
from execsvc.errors import Unavailable

Script = Callable[[socket.socket, bytes], None]
Serve = Callable[..., "WireServer"]
LONG = 30.0
"""Seconds that no test comes near unless something is wrong."""


@dataclass
class WireServer:
    """Takes requests, keeps them, and lets a script answer on the bare socket.

    A script that returns keeps the connection for the next request; one that closes it, ends it.
    """

    script: Script
    context: ssl.SSLContext | None = None
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        scheme = "http" if self.context is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self.port}"  # a bare root has no localhost
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        """Takes no more connections; those that are open end with the test."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        try:
            if self.context is not None:
                connection = self.context.wrap_socket(connection, server_side=True)
            while connection.fileno() >= 0 and (request := read_request(connection)):
                self.requests.append(request)
                self.script(connection, request)
        except OSError:
            pass
        finally:
            connection.close()


def read_request(connection: socket.socket) -> bytes:
    """One request, head and body; empty when the client is gone."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return b""
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def http(status: str, body: bytes = b"", **headers: str) -> bytes:
    """A whole answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def get(url: str, timeout: float = LONG, token: str | None = None, **kwargs: Any) -> Any:
    return HttpClient(url, token, timeout, **kwargs).get("GET /x", "/x", {})


def fault(url: str, timeout: float = LONG, **kwargs: Any) -> str:
    with pytest.raises(Unavailable) as raised:
        get(url, timeout, **kwargs)
    assert str(raised.value).startswith("GET /x: ")
    return str(raised.value)


def drip(connection: socket.socket, start: bytes, more: bytes = b" ") -> None:
    """Sends a byte now and then until the client is gone, or the test has clearly failed."""
    connection.sendall(start)
    for _ in range(int(2 * LONG / 0.02)):
        connection.sendall(more)
        time.sleep(0.02)


@pytest.fixture
def serve() -> Iterator[Callable[..., WireServer]]:
    """Starts a server with a script, or one that gives the same bytes to every request."""
    servers: list[WireServer] = []

    def start(script: Script | bytes, context: ssl.SSLContext | None = None) -> WireServer:
        if isinstance(script, bytes):
            answer = script
            script = lambda connection, _: connection.sendall(answer)  # noqa: E731
        servers.append(WireServer(script, context))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and self-signed certificate of 127.0.0.1 in one file."""
    require("openssl")
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=execsvc", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(
        [*command, "-keyout", str(path), "-out", f"{path}.crt"],
        env=scrubbed(),
        check=True,
        capture_output=True,
    )
    path.write_text(path.read_text() + Path(f"{path}.crt").read_text())
    return path
