"""Asking the supervisor, and what is said when it does not answer."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from execsvc.clients.control_socket import ask
from execsvc.errors import Unavailable

LONG = 30.0


def listen(runtime_dir: Path, script: Callable[[socket.socket], None]) -> None:
    """Answers one connection at the control socket."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(runtime_dir / "control.sock"))
    listener.listen()

    def serve() -> None:
        with listener, listener.accept()[0] as connection:
            script(connection)

    threading.Thread(target=serve, daemon=True).start()


def test_ask_sends_and_reads_one_line(tmp_path: Path) -> None:
    heard: list[bytes] = []

    def script(connection: socket.socket) -> None:
        heard.append(connection.recv(65536))
        for part in (b'{"state": ', b'"RUNNING"', b"}\nignored"):
            connection.sendall(part)

    listen(tmp_path, script)
    assert ask(tmp_path, {"call": "status"}, LONG) == {"state": "RUNNING"}
    assert heard == [b'{"call": "status"}\n']


@pytest.mark.parametrize("answer", [b"", b"{}", b"[]\n", b"x\n", b"\xff\n", b"[" * 100_000 + b"\n"])
def test_ask_unusable_answer_raises_unavailable(tmp_path: Path, answer: bytes) -> None:
    def script(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(answer)

    listen(tmp_path, script)
    with pytest.raises(Unavailable, match="supervisor"):
        ask(tmp_path, {"call": "status"}, LONG)


def test_ask_slow_answer_runs_into_the_time_out(tmp_path: Path) -> None:
    over = threading.Event()

    def script(connection: socket.socket) -> None:
        while not over.wait(0.02):
            connection.sendall(b" ")

    listen(tmp_path, script)
    with pytest.raises(Unavailable, match="timed out"):
        ask(tmp_path, {"call": "status"}, 0.3)
    over.set()


def test_ask_without_a_socket_raises_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="No such file"):
        ask(tmp_path, {"call": "status"}, LONG)


def test_ask_socket_of_a_dead_supervisor_raises_unavailable(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "control.sock"))
    with pytest.raises(Unavailable, match="Connection refused"):
        ask(tmp_path, {"call": "status"}, LONG)


def test_ask_path_too_long_raises_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="too long"):
        ask(tmp_path / ("x" * 120), {"call": "status"}, LONG)
