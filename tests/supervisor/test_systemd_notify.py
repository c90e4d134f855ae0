"""The messages to systemd."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from execsvc.supervisor.systemd import STATUS_EVERY, Notifier


@pytest.fixture(params=["path", "abstract"])
def listener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    name = f"execsvc-test-{os.getpid()}" if request.param == "abstract" else str(tmp_path / "n")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
        bound.settimeout(5)
        bound.bind("\0" + name if request.param == "abstract" else name)
        yield bound, "@" + name if request.param == "abstract" else name


def test_states(listener: tuple[socket.socket, str]) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": listener[1], "WATCHDOG_USEC": "1500000"})
    notifier.ready("2 RUNNING")
    notifier.status("a\nb")
    notifier.alive()
    notifier.stopping("bye")
    assert [listener[0].recv(100) for _ in range(4)] == [
        b"READY=1\nSTATUS=2 RUNNING",
        b"STATUS=a b",
        b"WATCHDOG=1",
        b"STOPPING=1\nSTATUS=bye",
    ]
    assert notifier.interval == 0.5


def test_no_child_inherits_the_variables() -> None:
    environ = {"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1", "A": "b"}
    Notifier(environ)
    assert environ == {"A": "b"}


def test_without_systemd_nothing_happens() -> None:
    notifier = Notifier({})
    notifier.ready("")
    notifier.alive()
    assert not notifier.enabled
    assert notifier.interval == STATUS_EVERY


def test_a_socket_that_is_gone_is_no_error(tmp_path: Path) -> None:
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).ready("")


def test_a_watchdog_of_another_process_is_not_fed(listener: tuple[socket.socket, str]) -> None:
    environ = {"NOTIFY_SOCKET": listener[1], "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}
    notifier = Notifier(environ)
    notifier.alive()
    notifier.status("after")
    assert listener[0].recv(100) == b"STATUS=after"
