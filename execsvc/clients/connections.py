"""The connections of one adapter of requests: timed, kept alive for reads, fresh for orders.

They replace urllib3's pool, which spends three times as long on a call as the call itself: there is
one server, one call at a time, and nothing to retry, to redirect or to proxy.
"""

from __future__ import annotations

import http.client
import select
import socket
from collections.abc import Mapping
from typing import Any

from execsvc.clients.call_timer import CallTimer, Stage
from execsvc.clients.sockets import connect, give_up_after, reset_when_closed, wrap


class RawResponse:
    """The answer of a server; its body is yet to be read."""

    def __init__(self, response: http.client.HTTPResponse, connection: _Connection) -> None:
        self.status = response.status
        self.reason = response.reason
        self.headers = _headers(response)
        self._response = response
        self._connection = connection

    def read(self, size: int, decode_content: bool) -> bytes:
        """The next bytes of the body, at most ``size``; none at the end.

        Raises OSError. They come as they are: ``decode_content`` is there for requests, and never
        true.
        """
        try:
            return self._response.read(size)
        except http.client.HTTPException as error:
            raise BrokenAnswer(repr(error)) from error

    def close(self) -> None:
        """Read nothing more, and close a connection on which a rest of the answer is left."""
        if not self._response.isclosed():
            self._connection.close()


class BrokenAnswer(OSError):
    """An answer that is no HTTP, or ended too early."""


LONGEST_UNDELIVERED = 10.0
"""Seconds after which the kernel abandons an order that the other side has not taken."""
_PART_OF_TIME = 0.9
"""The part of the order's remaining time that is used, so that nothing arrives after it."""


class Connections:
    """The connection to ``host``, at most one at a time, made when it is needed.

    ``orders``: a connection that is given up before its answer begins is reset.
    """

    def __init__(
        self, host: str, port: int | None, secure: bool, timer: CallTimer, orders: bool = False
    ) -> None:
        self._connection = _Connection(host, port, secure, timer, orders)
        self._timer = timer

    def urlopen(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str], **_: Any
    ) -> RawResponse:
        """Send one request for the path ``url`` and return as soon as the head of its answer is in.

        The name and the arguments are those of urllib3, by which requests calls it. Raises OSError.
        """
        self._connection.leave_if_stale()
        try:
            self._connection.request(method, url, body, headers)
            self._connection.flush()
            response = self._connection.getresponse()
            self._connection.answered()
            return RawResponse(response, self._connection)
        except http.client.HTTPException as error:
            self._connection.close()
            raise BrokenAnswer(repr(error)) from error
        except BaseException:
            self._connection.close()
            raise

    def connect(self) -> None:
        """Make the connection of the next request, which was never used. Raises OSError."""
        self._connection.close()
        self._connection.connect()

    def keep_to_connection(self) -> None:
        """Raise OSError when the connection that was made is lost before anything was sent."""
        self._connection.leave_if_stale()
        self._timer.stage = Stage.CONNECTED
        if not self._connection.is_open:
            raise ConnectionResetError("the connection was lost before anything was sent")

    def close(self) -> None:
        """Close the connection; the next request gets one that was never used."""
        self._connection.close()


class _Connection(http.client.HTTPConnection):
    """HTTP over a timed socket, with TLS or without.

    A request leaves in one piece, so that no stop can come between its head and its body.
    """

    def __init__(
        self, host: str, port: int | None, secure: bool, timer: CallTimer, orders: bool
    ) -> None:
        if secure:
            self.default_port = http.client.HTTPS_PORT
        # Without a port http.client would take the end of an IPv6 address for one.
        super().__init__(host, port or self.default_port)
        self._secure = secure
        self._timer = timer
        self._orders = orders
        self._pieces: list[bytes] = []

    def connect(self) -> None:
        """Connect; called by the first request. Raises OSError."""
        self._pieces.clear()
        plain = connect(self.host, self.port, self._timer)
        if self._orders:
            reset_when_closed(plain, resets=True)
        self.sock: socket.socket = (
            wrap(plain, self.host.rstrip("."), self._timer) if self._secure else plain
        )

    @property
    def is_open(self) -> bool:
        """False when the next request needs a connection first."""
        return self.sock is not None

    def send(self, data: bytes) -> None:  # type: ignore[override]
        """Keep a piece of a request, for :meth:`flush`."""
        self._pieces.append(data)

    def flush(self) -> None:
        """Send the request, on a connection that is made where there is none. Raises OSError."""
        request = b"".join(self._pieces)
        if not self.is_open:
            self.connect()
        self._pieces.clear()
        self._timer.stage = Stage.CONNECTED
        if self._orders:
            give_up_after(self.sock, min(LONGEST_UNDELIVERED, self._timer.left() * _PART_OF_TIME))
        self._timer.refuse_if_late()
        self.sock.sendall(request)

    def answered(self) -> None:
        """Note that the head of the answer is in, so the request was taken: its end is an ordinary
        one.
        """
        if self._orders and self.is_open:
            reset_when_closed(self.sock, resets=False)

    def leave_if_stale(self) -> None:
        """Close a connection whose server has closed its end, or sent something unasked."""
        if self.is_open:
            ready = select.poll()
            ready.register(self.sock, select.POLLIN)
            if ready.poll(0):
                self.close()


def _headers(response: http.client.HTTPResponse) -> dict[str, str]:
    """The headers, one value a name: HTTP joins the values of several lines."""
    headers: dict[str, str] = {}
    for name, value in response.getheaders():
        known = name.title()
        headers[known] = f"{headers[known]}, {value}" if known in headers else value
    return headers
