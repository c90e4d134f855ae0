"""Starts of the program: forked from a process that has it imported, or by an interpreter of their own.

An interpreter and the imports cost half a second of CPU time, more than all that most tests do. So a
start is forked from ``support.start_server``, unless one of these holds; then ``python -m`` does it:

* the run was asked for real starts (``scripts/test --real-starts``), or the test is marked ``real_start``;
* the start differs from a usual one in what an interpreter reads when it begins: variables beyond
  those of any program, ignored or blocked signals, limits, a command that becomes the program.
"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Protocol

import pytest
from support import start_server
from support.environment import OF_PROGRAMS, scrubbed

_ROOM_FOR_TITLES = 4096
"""Bytes. A title has the place of the first environment, which is larger where settings are in it."""
_OF_A_START = ("EXECSVC_", "PYTHONPATH")
"""The variables that a start may add to the environment of any program and still be forked."""
_LIMITS = [getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")]


class Running(Protocol):
    """A process that a test has started: forked for it, or a ``subprocess.Popen``."""

    @property
    def pid(self) -> int:
        """Its pid, which no other process gets before its end was seen here."""

    def poll(self) -> int | None:
        """Its exit code; None while it lives."""

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code. Raises TimeoutExpired after ``timeout`` seconds."""


class Forked:
    """A process that the server has forked, as ``subprocess.Popen`` would show it."""

    def __init__(self, server: Server, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._server = server

    def poll(self) -> int | None:
        """Its exit code; None while it lives."""
        if self.returncode is None:
            status = self._server.ask({"wait": self.pid})["status"]
            if status is not None:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code. Raises TimeoutExpired after ``timeout`` seconds."""
        if self.returncode is None:
            # Until its end is seen by poll() the number stays its own.
            descriptor = os.pidfd_open(self.pid)
            try:
                poller = _poller(descriptor)
                poller.poll(None if timeout is None else timeout * 1000)
            finally:
                os.close(descriptor)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
        return code


class Server:
    """The process that forks; started with the first use, ended with :meth:`close`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._door, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with other:
            self._process = subprocess.Popen(
                [sys.executable, start_server.__file__, str(other.fileno())],
                env={**scrubbed_of_programs(), "TESTS_ROOM": "x" * _ROOM_FOR_TITLES},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[other.fileno()],
                start_new_session=True,
            )
        self.given = _given()
        self.cpu = 0.0
        """Seconds of CPU time of the server and of all processes of its that have ended."""

    def ask(self, request: dict[str, Any], *streams: int) -> dict[str, Any]:
        """The answer to a request. Raises RuntimeError when the server is gone."""
        with self._lock:
            socket.send_fds(self._door, [json.dumps(request).encode()], streams)
            answer = self._door.recv(start_server.LONGEST_MESSAGE)
        if not answer:
            raise RuntimeError(f"the server of starts ended with {self._process.wait()}")
        said: dict[str, Any] = json.loads(answer)
        self.cpu = said["cpu"]
        return said

    def close(self) -> None:
        """End it; processes that it has forked live on."""
        with suppress(OSError), self._lock:
            self._door.send(json.dumps({"end": True}).encode())
        self._door.close()
        self._process.wait()


class Starts:
    """The way in which the starts of this pytest process are made."""

    def __init__(self) -> None:
        self._server: Server | None = None
        self.always_real = False
        """True when no start of this run is to be forked."""
        self.marked_real = False
        """True when none is to be forked for the test that runs."""

    def configure(self, config: pytest.Config) -> None:
        """Take the run's options."""
        self.always_real = config.getoption("real_starts")

    def choose(self, item: pytest.Item) -> None:
        """Take what the test that begins says of its starts."""
        self.marked_real = item.get_closest_marker("real_start") is not None

    def close(self) -> None:
        """End the server, if there is one."""
        if self._server is not None:
            self._server.close()
            self._server = None

    @property
    def cpu(self) -> float:
        """Seconds of CPU time that the server and its processes have used, as far as it is known."""
        return self._server.cpu if self._server is not None else 0.0

    def start(
        self,
        module: str,
        arguments: Sequence[str],
        environ: Mapping[str, str],
        output: IO[bytes],
        errors: IO[bytes],
        session: bool = True,
        under: Sequence[str] = (),
    ) -> Running:
        """Start ``python -m module arguments``, in a session of its own unless ``session`` is off."""
        if under or not self._may_be_forked(environ):
            return subprocess.Popen(
                [*under, sys.executable, "-m", module, *arguments],
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                start_new_session=session,
            )
        server = self._own_server()
        request = {
            "module": module,
            "arguments": list(arguments),
            "environ": dict(environ),
            "folder": str(Path.cwd()),
            "umask": _umask(),
            "session": session,
        }
        with Path(os.devnull).open() as nothing:
            streams = (nothing.fileno(), output.fileno(), errors.fileno())
            return Forked(server, server.ask(request, *streams)["pid"])

    def run(
        self, module: str, arguments: Sequence[str], environ: Mapping[str, str], timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """Run ``python -m module arguments`` to its end; its exit code and what it printed."""
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            running = self.start(module, arguments, environ, output, errors, session=False)
            try:
                code = running.wait(timeout)
            except subprocess.TimeoutExpired:
                os.kill(running.pid, signal.SIGKILL)
                running.wait()
                raise
            said = []
            for stream in (output, errors):
                stream.seek(0)
                said.append(stream.read().decode())
        return subprocess.CompletedProcess([module, *arguments], code, *said)

    def _may_be_forked(self, environ: Mapping[str, str]) -> bool:
        """True when nothing that an interpreter reads at its start is unusual."""
        if self.marked_real or self.always_real:
            return False
        usual = {name: value for name, value in environ.items() if not _is_of_a_start(name)}
        return usual == scrubbed_of_programs() and self._own_server().given == _given()

    def _own_server(self) -> Server:
        if self._server is None:
            self._server = Server()
        return self._server


STARTS = Starts()
"""Those of this process."""


def scrubbed_of_programs() -> dict[str, str]:
    """The environment of every program."""
    return {name: value for name, value in scrubbed().items() if name in OF_PROGRAMS}


def _is_of_a_start(name: str) -> bool:
    return name.startswith(_OF_A_START)


def _given() -> object:
    """All that a process inherits beside its environment, and the server's processes have from the server."""
    ignored = [n for n in signal.valid_signals() if signal.getsignal(n) is signal.SIG_IGN]
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    return (
        ignored,
        blocked,
        [resource.getrlimit(limit) for limit in _LIMITS],
        scrubbed_of_programs(),
    )


def _umask() -> int:
    umask = os.umask(0o077)
    os.umask(umask)
    return umask


def _poller(descriptor: int) -> select.poll:
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    return poller
