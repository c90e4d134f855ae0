"""The connections of one adapter of requests: watched, kept alive for reads, fresh for orders.

In the place of urllib3's pool, which spends three times as long on a call as the call itself:
there is one server, one call at a time, and nothing to retry, to redirect or to proxy.
"""

from __future__ import annotations

import http.client
import select
import socket
from collections.abc import Mapping
from typing import Any

from execsvc.clients.sockets import connect, wrap
from execsvc.clients.watch import Watch


class Reply:
    """What a server answers; its body has yet to come in."""

    def __init__(self, response: http.client.HTTPResponse, connection: _Connection) -> None:
        self.status = response.status
        self.reason = response.reason
        self.headers = _headers(response)
        self._response = response
        self._connection = connection

    def read(self, size: int, decode_content: bool) -> bytes:
        """The next bytes of the body, at most ``size``; none at the end. Raises OSError.

        They come as they are: ``decode_content`` is there for requests, and never true.
        """
        try:
            return self._response.read(size)
        except http.client.HTTPException as error:
            raise BrokenAnswer(repr(error)) from error

    def close(self) -> None:
        """Nothing more is read; a connection with a rest of the answer in it is of no more use."""
        if not self._response.isclosed():
            self._connection.close()


class BrokenAnswer(OSError):
    """What came back is no HTTP, or ended too early."""


class Connections:
    """At most one connection at a time, to ``host``; made when it is needed."""

    def __init__(self, host: str, port: int | None, secure: bool, watch: Watch) -> None:
        self._connection = _Connection(host, port, secure, watch)

    def urlopen(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str], **_: Any
    ) -> Reply:
        """Sends one request for the path ``url`` and returns as soon as the head of its answer is in.

        The name and what else it is given are those of urllib3, by which requests calls it.
        Raises OSError.
        """
        self._connection.leave_if_stale()
        try:
            self._connection.request(method, url, body, headers)
            return Reply(self._connection.getresponse(), self._connection)
        except http.client.HTTPException as error:
            self._connection.close()
            raise BrokenAnswer(repr(error)) from error
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """The next request gets a connection that was never used."""
        self._connection.close()


class _Connection(http.client.HTTPConnection):
    """HTTP over a watched socket, with TLS or without."""

    def __init__(self, host: str, port: int | None, secure: bool, watch: Watch) -> None:
        if secure:
            self.default_port = http.client.HTTPS_PORT
        # Without a port http.client would take the end of an IPv6 address for one.
        super().__init__(host, port or self.default_port)
        self._secure = secure
        self._watch = watch

    def connect(self) -> None:
        """Called by the first request. Raises OSError."""
        plain = connect(self.host, self.port, self._watch)
        self.sock: socket.socket = (
            wrap(plain, self.host.rstrip("."), self._watch) if self._secure else plain
        )

    def leave_if_stale(self) -> None:
        """A server that has closed its end, or spoken unasked, is not spoken to any more."""
        if self.sock is not None:
            ready = select.poll()
            ready.register(self.sock, select.POLLIN)
            if ready.poll(0):
                self.close()


def _headers(response: http.client.HTTPResponse) -> dict[str, str]:
    """One value a name, as HTTP puts those of several lines together."""
    headers: dict[str, str] = {}
    for name, value in response.getheaders():
        known = name.title()
        headers[known] = f"{headers[known]}, {value}" if known in headers else value
    return headers
