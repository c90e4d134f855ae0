"""The sandbox's HTTP server."""

from __future__ import annotations

import json
import signal
import socket
import socketserver
import struct
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from execsvc import clock
from execsvc.dispositions import not_ignored
from execsvc.errors import Unavailable
from execsvc.sandbox.feeds import RecordedFeed
from execsvc.sandbox.routes import answer
from execsvc.sandbox.state import DEFAULT_BALANCES, SandboxState, new_state
from execsvc.sandbox.waits import StopSignal
from execsvc.sandbox.wire import HttpRequest, deliver

_HOST = "127.0.0.1"
_LAST_DATA = struct.Struct("=52xI")
"""The offset of ``tcpi_last_data_recv`` (ms) in ``struct tcp_info`` (linux/tcp.h)."""


class Sandbox:
    """BotService and a paper exchange on one port of this machine.

    ``port`` 0 takes any free one; it listens on ``address``. ``balances`` are those of an account
    without its own. Without ``time`` it uses a clock of its own, as an exchange does. The state
    outlives :meth:`stop`; a :meth:`start` after it uses the same port.
    """

    def __init__(
        self,
        port: int = 0,
        bots: Sequence[Any] = (),
        balances: Mapping[str, Decimal] = DEFAULT_BALANCES,
        seed: int = 1,
        time: clock.Clock | None = None,
        recorded: RecordedFeed | None = None,
        address: str = _HOST,
    ) -> None:
        self.state = new_state(time or clock.UnsetClock(), list(bots), balances, seed, recorded)
        self._address = address
        self._port = port
        self._server: _Server | None = None

    @property
    def url(self) -> str:
        """The URL of the server, without a trailing slash; fit for both services' URL."""
        return f"http://{_HOST}:{self._port}"

    def start(self) -> None:
        """Listen, and serve from threads. Raises OSError when the port is taken."""
        self.state.stop_signal = StopSignal()
        self._server = _Server((self._address, self._port), self.state)
        self._port = self._server.server_address[1]
        serve = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        serve.start()

    def stop(self) -> None:
        """End every wait, close every connection and the port."""
        server, self._server = self._server, None
        if server is not None:
            self.state.delayed_calls.cancel()
            self.state.stop_signal.stop()
            server.shutdown()
            server.server_close()
            server.close_connections()


def serve_forever(
    port: int,
    bots: Sequence[Any],
    announce: Callable[[str], object],
    recorded: RecordedFeed | None = None,
) -> None:
    """Run a sandbox until SIGTERM or SIGINT; ``announce`` is called with its URL once it listens.

    Raises Unavailable when the port is taken, and whatever ``announce`` raises.
    """
    end_signals = {signal.SIGTERM, *not_ignored(signal.SIGINT)}
    signal.pthread_sigmask(
        signal.SIG_BLOCK, end_signals
    )  # before there are threads that could take them
    sandbox = Sandbox(port, bots, recorded=recorded)
    try:
        sandbox.start()
    except OSError as error:
        raise Unavailable(f"port {port}: {error.strerror or error}") from None
    announce(f"execsvc sandbox listens on {sandbox.url}")
    signal.sigwait(end_signals)
    sandbox.stop()


def read_bots(path: Path) -> list[Any]:
    """The rows in a file that holds a JSON array of them. Raises OSError, ValueError."""
    rows = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(rows, list):
        raise ValueError(f"{path} does not hold a JSON array")
    return rows


class _Server(ThreadingHTTPServer):
    request_queue_size = 1024
    daemon_threads = True

    def __init__(self, address: tuple[str, int], state: SandboxState) -> None:
        self.state = state
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)  # HTTPServer's asks the resolver for our name

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        with self._lock:
            for connection in self._connections:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:  # it has ended by itself
                    continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], OSError):  # clients come and go
            super().handle_error(request, client_address)


def _seconds_unread(connection: socket.socket) -> float:
    """Seconds since the kernel has had the last data that came over ``connection``.

    A connection that was made may wait long to be accepted, and its request with it.
    """
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LAST_DATA.size)
    (milliseconds,) = _LAST_DATA.unpack(info)
    return float(milliseconds / 1000)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def answer(self) -> None:
        """Answer the request that has been read up to its body."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urlsplit(self.path)
        request = HttpRequest(
            method=self.command,
            segments=tuple(unquote(part) for part in url.path.strip("/").split("/")),
            query=dict(parse_qsl(url.query, keep_blank_values=True)),
            headers=dict(self.headers.items()),
            body=body,
            waited=_seconds_unread(self.connection),
        )
        state = self.server.state
        if not deliver(self.connection, answer(state, request), state.stop_signal):
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 - http.server's names

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Log nothing; ``GET /sandbox/requests`` has all requests."""
