"""The operator's commands while a service runs whose control socket is not there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.command import ControlSocket, Execsvc
from support.store_files import supervisor_lock
from support.stores import store_in

from execsvc.cli import daemon as module
from execsvc.errors import Unavailable

HALTED = {"since": "2026-01-02T03:04:05.000Z", "reason": "by an operator"}


@pytest.fixture
def held(state_dir: Path) -> Iterator[None]:
    """This process is the supervisor."""
    state_dir.mkdir(mode=0o700)
    store = store_in(state_dir)
    assert store.take()
    return


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch, daemon: ControlSocket) -> list[str]:
    """The requests while the socket is away: the first requests fail, the next ones do not."""
    daemon.names = {"b1": "bot"}
    daemon.answers = {
        "halt": [{"ok": True, "halted": HALTED, "not_written": None}],
        "stop": [{"ok": True, "state": "STOPPING", "written": True}],
        "resume": [{"ok": True, "was": HALTED, "held": []}],
        "unfinished": [{"halted": HALTED, "of": 1, "bots": [], "state": "HELD"}],
    }
    asked: list[str] = []
    answered = module.control_socket.ask

    def ask(folder: Path, request: dict[str, Any], timeout: float) -> dict[str, Any]:
        asked.append(request["call"])
        if len(asked) <= 3:
            raise Unavailable("the supervisor does not answer")
        return answered(folder, request, timeout)

    monkeypatch.setattr(module.control_socket, "ask", ask)
    return asked


@pytest.mark.parametrize(("command", "bot"), [("halt", []), ("stop", ["b1"]), ("resume", [])])
def test_command_service_runs_without_socket_waits_until_it_is_made_again(
    execsvc: Execsvc, held: None, late: list[str], command: str, bot: list[str]
) -> None:
    done = execsvc(command, *bot)
    assert done.code == 0, done
    (line,) = done.err.splitlines()
    assert f"pid {os.getpid()}: waiting for its control socket" in line
    assert command in late


def test_halt_service_runs_without_socket_writes_the_file_before_it_waits(
    execsvc: Execsvc, held: None, state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files: list[bool] = []

    def ask(folder: Path, request: dict[str, Any], timeout: float) -> dict[str, Any]:
        files.append((state_dir / "halted.json").exists())
        raise Unavailable("nobody there")

    monkeypatch.setattr(module.control_socket, "ask", ask)
    done = execsvc("halt", "--timeout", "0.5")
    assert done.code == 69
    assert files[:2] == [False, True]
    assert len(files) > 2
    assert "the service reads halted.json at its next poll" in done.err
    assert store_in(state_dir).halt().current is not None


@pytest.mark.parametrize("arguments", [["stop", "b1"], ["resume"], ["halt"]])
def test_command_no_service_runs_waits_for_nothing(
    execsvc: Execsvc, state_dir: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    state_dir.mkdir(mode=0o700)
    lock = supervisor_lock(state_dir)
    assert lock.try_acquire()
    lock.close()  # what a service leaves that has ended
    monkeypatch.setattr(module, "SOCKET_WAIT", 3600.0)
    assert execsvc(*arguments).code == 69


def test_halt_without_waiting_says_that_a_service_runs(
    execsvc: Execsvc, held: None, state_dir: Path
) -> None:
    done = execsvc("halt", "--no-wait")
    assert done.code == 69
    assert done.err.count(f"pid {os.getpid()}: the service reads halted.json") == 1
