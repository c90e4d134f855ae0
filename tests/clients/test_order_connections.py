"""The connection of an order: made before the order is recorded, reset when it is given up."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from support.deadline import eventually
from support.wire_server import LONG, Serve, http

from execsvc.clients.http import HttpClient, NotSent
from execsvc.clock import monotonic
from execsvc.errors import StopRequested, Unavailable

CALL, PATH = "POST /order", "/order"
DONE = http("200 OK", b"{}")


class Listener:
    """A server of which a test accepts the connections itself."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def accept(self) -> socket.socket:
        self._socket.settimeout(60)
        connection, _ = self._socket.accept()
        connection.settimeout(60)
        return connection

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.close()


def ours(client: HttpClient) -> socket.socket:
    """The socket of the next order."""
    adapter: Any = client._session.keep_fresh(client._base_url + PATH)
    found: socket.socket = adapter._connections._connection.sock
    return found


def lingers(one: socket.socket) -> tuple[int, int]:
    found = one.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)
    on, seconds = struct.unpack("ii", found)
    return on, seconds


def read_to_end(one: socket.socket) -> None:
    while one.recv(65536):
        pass


def test_post_goes_out_on_the_connection_that_was_made(serve: Serve) -> None:
    server = serve(DONE)
    client = HttpClient(server.url, None, LONG)
    for number in (1, 2):
        client.connect(CALL, PATH, LONG, interruptible=True)
        assert client.post(CALL, PATH, "{}", LONG, monotonic() + LONG).status == 200
        assert (server.connections, len(server.requests)) == (number, number)


def test_post_connection_was_lost_before_is_never_sent(listener: Listener) -> None:
    client = HttpClient(listener.url, None, LONG)
    client.connect(CALL, PATH, LONG, interruptible=False)
    listener.accept().close()
    with pytest.raises(NotSent, match="lost before anything was sent"):
        client.post(CALL, PATH, "{}", LONG)


def test_post_too_late_is_never_sent(serve: Serve) -> None:
    server = serve(DONE)
    client = HttpClient(server.url, None, LONG)
    client.connect(CALL, PATH, LONG, interruptible=False)
    with pytest.raises(NotSent, match=r"never sent, 0\.\d s too late"):
        client.post(CALL, PATH, "{}", LONG, monotonic() - 0.01)
    with pytest.raises(NotSent, match=r"never sent, 0\.\d s too late"):
        client.post(CALL, PATH, "{}", LONG, monotonic() - 0.01)
    assert server.requests == []


def test_connect_is_interrupted_where_it_may_be(listener: Listener) -> None:
    def pulse(interruptible: bool) -> None:
        if interruptible:
            raise StopRequested("TERM")

    client = HttpClient(listener.url, None, LONG, pulse)
    with pytest.raises(StopRequested):
        client.connect(CALL, PATH, LONG, interruptible=True)
    client.connect(CALL, PATH, LONG, interruptible=False)


@pytest.mark.parametrize(("timeout", "least", "most"), [(30.0, 10_000, 10_000), (2.0, 1, 1800)])
def test_post_kernel_gives_up_before_its_time_is_over(
    listener: Listener, timeout: float, least: int, most: int
) -> None:
    """While the answer is waited for, as a look into the socket from the pulse."""
    seen: list[tuple[int, tuple[int, int]]] = []

    def pulse(_: bool) -> None:
        one = ours(client) if sent else None
        if one is not None:
            kernel = one.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
            seen.append((kernel, lingers(one)))
            with suppress(OSError):
                server.close()

    sent = False
    client = HttpClient(listener.url, None, LONG, pulse)
    client.connect(CALL, PATH, LONG, interruptible=False)
    assert lingers(ours(client)) == (1, 0), "a death before the send leaves nothing either"
    server = listener.accept()
    sent = True
    with pytest.raises(Unavailable) as raised:
        client.post(CALL, PATH, "{}", timeout)
    assert not isinstance(raised.value, NotSent)
    assert least <= seen[-1][0] <= most
    assert seen[-1][1] == (1, 0)


def test_post_given_up_resets_its_connection(listener: Listener) -> None:
    client = HttpClient(listener.url, None, LONG)
    client.connect(CALL, PATH, LONG, interruptible=False)
    server = listener.accept()
    with pytest.raises(Unavailable, match="no answer"):
        client.post(CALL, PATH, "{}", 0.3)
    with pytest.raises(ConnectionResetError):
        read_to_end(server)


def test_post_answered_ends_its_connection_in_the_ordinary_way(serve: Serve) -> None:
    ends: list[bytes | OSError] = []

    def script(connection: socket.socket, _: bytes) -> None:
        connection.sendall(DONE)
        try:
            ends.append(connection.recv(1))
        except OSError as error:
            ends.append(error)

    client = HttpClient(serve(script).url, None, LONG)
    client.connect(CALL, PATH, LONG, interruptible=False)
    assert client.post(CALL, PATH, "{}", LONG).status == 200
    assert lingers(ours(client)) == (0, 0)
    client._session.close()
    eventually(lambda: ends == [b""], f"an end and no reset: {ends}")
