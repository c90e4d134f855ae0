"""The control plane's real process, with a supervisor that is a socket in this one."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import psutil
import pytest
import requests
from support import processes
from support.deadline import eventually
from support.processes import Process
from support.settings import settings

from execsvc.control_plane.server import serve
from execsvc.control_plane.worker import HttpWorker
from execsvc.settings import SOCKET_NAME
from execsvc.supervisor.processes.child_begin import begin
from execsvc.workers.channel import Pipes

Answer = Callable[[dict[str, str]], bytes]


class ControlSocket:
    """Answers every request with the same line, as long as it is open."""

    def __init__(self, folder: Path) -> None:
        self.answer = b'{"status": "ok"}\n'
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(folder / SOCKET_NAME))
        self._listener.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client:
                json.loads(client.makefile().readline())
                if self.answer:
                    client.sendall(self.answer)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


class Plane:
    """The forked control plane."""

    def __init__(self, folder: Path) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        read, self.lifeline = os.pipe()
        given = settings(runtime_dir=str(folder), state_dir=str(folder))
        descriptor = self.listener.fileno()
        self.pid = os.fork()
        if self.pid == 0:
            logging.getLogger().handlers.clear()  # pytest's, whose streams are closed in a child
            nowhere = os.open(os.devnull, os.O_WRONLY)
            pipes = Pipes(read, os.open(os.devnull, os.O_RDONLY), nowhere)
            kept = {descriptor, *pipes}
            begin(lambda: serve(given, descriptor, pipes), kept)
        os.close(read)
        self._ended = False

    def get(self, path: str) -> requests.Response:
        return requests.get(self.url + path, timeout=60)

    def ended(self) -> bool:
        if not self._ended:
            self._ended = os.waitpid(self.pid, os.WNOHANG)[0] != 0
        return self._ended

    @property
    def master(self) -> Process:
        """gunicorn's arbiter, which has to be there."""
        found = processes.find(self.pid)
        assert found is not None
        return found

    def close(self) -> None:
        """End what is left of it."""
        self.listener.close()
        if not self.ended():
            # The worker ends when its master is gone, and is not to be replaced before.
            processes.kill_at_once([self.master, *self.master.children()])
            eventually(self.ended, "it is killed")

    def raw(self, request: bytes) -> bytes:
        """All that is answered to these bytes."""
        with socket.create_connection(self.listener.getsockname(), timeout=60) as client:
            client.sendall(request)
            answer = b""
            while part := client.recv(65536):
                answer += part
        return answer


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[ControlSocket]:
    made = ControlSocket(tmp_path)
    yield made
    made.close()


@pytest.fixture
def plane(supervisor: ControlSocket, tmp_path: Path) -> Iterator[Plane]:
    made = Plane(tmp_path)
    try:
        assert made.get("/health").status_code == 200
        yield made
    finally:
        made.close()


def test_it_answers_in_json_whatever_is_asked(plane: Plane) -> None:
    assert plane.get("/health").json() == {"status": "ok"}
    for request, status in (
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET /health HTTP/9.9\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 9000 + b"\r\n\r\n", b"431"),
        (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n\r\n", b"414"),
        (b"GET /nothing HTTP/1.0\r\n\r\n", b"404"),
    ):
        head, _, body = plane.raw(request).partition(b"\r\n\r\n")
        assert head.split()[1] == status
        assert "error" in json.loads(body)


def test_a_supervisor_that_does_not_answer_is_down(plane: Plane, supervisor: ControlSocket) -> None:
    supervisor.answer = b""
    answer = plane.get("/health")
    assert (answer.status_code, answer.json()["status"]) == (503, "down")
    assert plane.get("/status").status_code == 503


@pytest.mark.parametrize("begun", [b"", b"G", b"GET /health HTTP/1.1\r\nX"])
def test_slow_clients_delay_no_other(plane: Plane, begun: bytes) -> None:
    slow = [socket.create_connection(plane.listener.getsockname()) for _ in range(300)]
    for client in slow:
        client.sendall(begun)
    for _ in range(3):
        assert plane.get("/health").status_code == 200
    eventually(lambda: shown_out(slow), "who says nothing is shown out")


def test_a_head_that_comes_byte_by_byte_is_answered(plane: Plane) -> None:
    with socket.create_connection(plane.listener.getsockname(), timeout=60) as client:
        for byte in b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n":
            client.sendall(bytes([byte]))
        assert client.recv(100).startswith(b"HTTP/1.1 200")


def test_clients_that_never_read_or_never_close_delay_no_other(
    plane: Plane, supervisor: ControlSocket
) -> None:
    supervisor.answer = json.dumps({"status": "ok", "reasons": ["x" * 4_000_000]}).encode() + b"\n"
    deaf = [socket.create_connection(plane.listener.getsockname()) for _ in range(4)]
    for client in deaf:
        client.sendall(b"GET /health HTTP/1.1\r\n\r\n")
    # On a busy machine an answer of that size takes longer than a supervisor has for one.
    eventually(lambda: plane.get("/health").status_code == 200, "it is answered")
    for client in deaf:
        client.close()


def test_a_body_is_not_waited_for(plane: Plane) -> None:
    request = b"POST /poll HTTP/1.1\r\nContent-Length: 1000\r\n\r\n"
    assert b"202" in plane.raw(request).splitlines()[0]


def test_half_a_request_costs_no_cpu_time(plane: Plane) -> None:
    worker = psutil.Process(plane.master.children()[0].pid)
    with socket.create_connection(plane.listener.getsockname()) as client:
        client.sendall(b"GET /health HTT")
        before = sum(worker.cpu_times()[:2])
        eventually(lambda: shown_out([client]), "it is shown out")
        assert sum(worker.cpu_times()[:2]) - before < 1


def test_process_and_worker_end_with_the_lifeline(plane: Plane) -> None:
    worker = eventually(plane.master.children, "gunicorn's worker")[0]
    os.close(plane.lifeline)
    eventually(plane.ended, "the master is gone")
    eventually(lambda: not worker.lives, "the worker is gone")


def test_worker_whose_arbiter_ends_between_two_checks_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    no_pid = 2**22 + 1

    def end(code: int) -> None:
        raise SystemExit(code)

    monkeypatch.setattr(os, "getppid", lambda: no_pid)
    monkeypatch.setattr(os, "_exit", end)
    with pytest.raises(SystemExit):
        HttpWorker._end(cast(HttpWorker, SimpleNamespace(ppid=no_pid)))


def test_term_ends_it(plane: Plane) -> None:
    os.kill(plane.pid, signal.SIGTERM)
    eventually(plane.ended, "it ended")


def test_process_has_its_title(plane: Plane) -> None:
    titles = [process.title for process in (plane.master, *plane.master.children())]
    assert titles == ["execsvc: control plane"] * 2


def shown_out(clients: list[socket.socket]) -> bool:
    """True when the other side has closed all of these."""
    for client in clients:
        client.setblocking(False)
        try:
            if client.recv(1):
                return False
        except BlockingIOError:
            return False
        except OSError:
            continue
    return True
