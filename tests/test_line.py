"""The line that tests cut: what arrives after it has healed is what would over a real one."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

import pytest
from support.deadline import PATIENCE, eventually
from support.line import Line

RESET = struct.pack("ii", 1, 0)
"""SO_LINGER with no time: a close resets the connection."""


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)
        yield listener


@pytest.fixture
def line(server: socket.socket) -> Iterator[Line]:
    made = Line(server.getsockname()[1])
    yield made
    made.close()


def connected(line: Line, server: socket.socket) -> tuple[socket.socket, socket.socket]:
    """Both ends of a connection over the line, by which something has gone already."""
    client = socket.create_connection(("127.0.0.1", int(line.url.rsplit(":", 1)[1])))
    client.sendall(b"first ")
    peer, _ = server.accept()
    peer.settimeout(PATIENCE)
    assert peer.recv(100) == b"first "
    return client, peer


def all_of(peer: socket.socket) -> bytes:
    """All that arrives until the connection ends, in order or not."""
    got = b""
    while True:
        try:
            block = peer.recv(100)
        except ConnectionResetError:
            return got
        if not block:
            return got
        got += block


def test_line_client_closed_while_cut_arrives_when_healed(
    line: Line, server: socket.socket
) -> None:
    client, peer = connected(line, server)
    line.cut()
    client.sendall(b"late")
    client.close()
    line.heal()
    with peer:
        assert all_of(peer) == b"late"


def test_line_client_reset_while_cut_nothing_arrives(line: Line, server: socket.socket) -> None:
    client, peer = connected(line, server)
    line.cut()
    client.sendall(b"late")
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    client.close()
    line.heal()
    with peer:
        assert all_of(peer) == b""


def test_line_answer_while_cut_arrives_when_healed(line: Line, server: socket.socket) -> None:
    client, peer = connected(line, server)
    line.cut()
    peer.sendall(b"answer")
    client.setblocking(False)
    with pytest.raises(BlockingIOError):
        client.recv(100)
    line.heal()
    client.settimeout(PATIENCE)
    assert eventually(lambda: client.recv(100), "the answer") == b"answer"
    client.close()
    peer.close()
