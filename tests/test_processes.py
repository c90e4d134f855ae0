"""Processes that end between two looks: each look, and each signal, has an answer for that."""

from __future__ import annotations

import dataclasses
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from support import processes
from support.deadline import eventually
from support.environment import scrubbed
from support.processes import Process

LOOKS: dict[str, Callable[[Process], object]] = {
    "lives": lambda process: process.lives,
    "title": lambda process: process.title,
    "opened": lambda process: process.opened,
    "ports": lambda process: process.ports,
    "children": lambda process: process.children(recursive=True),
}
SIGNALS: dict[str, Callable[[Process], bool]] = {
    "kill": Process.kill,
    "suspend": Process.suspend,
    "null": lambda process: process.send(0),
}


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A child that sleeps."""
    with subprocess.Popen(["sleep", "600"], env=scrubbed()) as child:
        yield child
        child.kill()


def seen(child: subprocess.Popen[bytes]) -> Process:
    """The process of a child that is not reaped yet."""
    found = processes.find(child.pid)
    assert found is not None
    return found


def is_zombie(pid: int) -> bool:
    """The kernel keeps a process for its parent, and nothing else of it."""
    return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_process_that_lives_is_seen_and_killed(sleeper: subprocess.Popen[bytes]) -> None:
    process = seen(sleeper)
    eventually(lambda: process.title == "sleep 600", "it is what it is to be")
    assert process.lives
    assert process in processes.children(os.getpid())
    assert process in processes.with_argument("600")
    assert process.kill()
    assert sleeper.wait() == -9


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_look_at_a_zombie_shows_nothing(
    sleeper: subprocess.Popen[bytes], look: Callable[[Process], object]
) -> None:
    process = seen(sleeper)
    sleeper.kill()
    eventually(lambda: is_zombie(process.pid), "it has ended, and is not reaped")
    assert not look(process)
    assert not processes.is_alive(process.pid)
    assert process.kill(), "a signal to it reaches it, and changes nothing"


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_look_at_a_reaped_process_shows_nothing(
    sleeper: subprocess.Popen[bytes], look: Callable[[Process], object]
) -> None:
    process = seen(sleeper)
    sleeper.kill()
    sleeper.wait()
    assert not look(process)


@pytest.mark.parametrize("send", SIGNALS.values(), ids=SIGNALS)
def test_signal_to_a_reaped_process_reaches_none(
    sleeper: subprocess.Popen[bytes], send: Callable[[Process], bool]
) -> None:
    process = seen(sleeper)
    sleeper.kill()
    sleeper.wait()
    assert send(process) is False


@pytest.mark.parametrize("send", SIGNALS.values(), ids=SIGNALS)
@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_process_whose_pid_was_given_again_is_gone(
    sleeper: subprocess.Popen[bytes],
    look: Callable[[Process], object],
    send: Callable[[Process], bool],
) -> None:
    before = dataclasses.replace(seen(sleeper), started=seen(sleeper).started - 1)
    assert not look(before)
    assert send(before) is False
    assert seen(sleeper).lives, "its successor was not hit"
    assert not is_stopped(sleeper.pid)


def is_stopped(pid: int) -> bool:
    """True after SIGSTOP."""
    return psutil.Process(pid).status() == psutil.STATUS_STOPPED


@pytest.mark.parametrize("moment", [1, 2])
def test_process_reaped_within_a_look_shows_nothing(
    sleeper: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    process, stat = seen(sleeper), processes._stat
    calls = []

    def ends(pid: int) -> tuple[str, int] | None:
        calls.append(pid)
        answer = stat(pid)
        if len(calls) == moment:
            sleeper.kill()
            sleeper.wait()
        return answer

    monkeypatch.setattr(processes, "_stat", ends)
    for look in LOOKS.values():
        look(process)
    assert not process.send(0)
    assert not process.lives
    assert len(calls) >= moment


def test_file_of_a_process_reaped_after_it_was_opened_shows_nothing(
    sleeper: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel answers ESRCH to a read, ENOENT only to an open."""
    process, raised = seen(sleeper), []

    def late(path: Path) -> bytes:
        with path.open("rb", buffering=0) as file:
            sleeper.kill()
            sleeper.wait()
            try:
                return file.read()
            except ProcessLookupError as error:
                raised.append(error)
                raise

    monkeypatch.setattr(Path, "read_bytes", late)
    assert not process.lives
    assert raised


def test_pid_of_nothing_is_found_as_nothing() -> None:
    for pid in (0, -1, 2**31):
        assert processes.find(pid) is None
        assert not processes.is_alive(pid)
        assert not processes.kill(pid)
        assert processes.children(pid) == []


def test_title_with_spaces_and_brackets_keeps_the_start_readable(tmp_path: Path) -> None:
    program = tmp_path / "a ) b (c"
    program.symlink_to("/bin/sleep")
    with subprocess.Popen([program, "600"], env=scrubbed()) as child:
        process = seen(child)
        eventually(lambda: process.title == f"{program} 600", "it runs under its odd name")
        assert process.lives
        assert process.kill()


def test_ports_and_files_of_this_process_are_seen(tmp_path: Path) -> None:
    own = processes.find(os.getpid())
    assert own is not None
    with socket.create_server(("127.0.0.1", 0)) as server, (tmp_path / "held").open("w"):
        assert server.getsockname()[1] in own.ports
        assert tmp_path / "held" in own.opened
        assert processes.holding(tmp_path) == [own]
    assert processes.holding(tmp_path) == []


def test_kill_at_once_takes_those_that_are_gone(sleeper: subprocess.Popen[bytes]) -> None:
    gone = dataclasses.replace(seen(sleeper), pid=2**22 + 1)
    processes.kill_at_once([gone, seen(sleeper), gone])
    assert sleeper.wait() == -9


def test_children_of_children_are_found() -> None:
    code = "import subprocess; subprocess.run(['sleep', '600'])"
    with subprocess.Popen([sys.executable, "-c", code], env=scrubbed()) as child:
        family = eventually(lambda: processes.children(child.pid), "it has a child")
        assert set(family) <= set(processes.children(os.getpid(), recursive=True))
        assert not set(family) & set(processes.children(os.getpid()))
        processes.kill_at_once([*family, seen(child)])
