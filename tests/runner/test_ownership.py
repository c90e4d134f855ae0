"""A process that holds a bot's ledger too long is killed; a pid that is no longer its owner is left alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support import environment, processes
from support.deadline import eventually
from support.store_files import ledger_path
from support.stores import store_in

from execsvc.runner import ownership
from execsvc.store.bot_store import BotStore

HOLD = """
import os, subprocess, sys, time
held = open(sys.argv[1], "w") if sys.argv[1] else None
print(subprocess.Popen(["sleep", "600"]).pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    """The file whose lock makes a process the owner of the ledger."""
    path = ledger_path(tmp_path, "b1").with_suffix(".lock")
    path.parent.mkdir(parents=True)
    path.touch()
    return path


@pytest.fixture
def ledger(tmp_path: Path, lock: Path) -> BotStore:
    """A ledger whose lock file is there."""
    return store_in(tmp_path).bot("b1")


@contextmanager
def process(opens: Path | str, session: bool = True) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A process that has a file open, and the pid of its child."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(opens)],
        env=environment.scrubbed(),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=session,
    ) as running:
        assert running.stdout is not None
        child = int(running.stdout.readline())
        try:
            yield running, child
        finally:
            running.kill()
            processes.kill(child)


@pytest.mark.parametrize("session", [True, False], ids=["leads a session", "leads none"])
def test_kill_of_the_holder_takes_its_session_and_nothing_else(
    ledger: BotStore, lock: Path, session: bool
) -> None:
    with process(lock, session) as (holder, child):
        ownership._kill(holder.pid, ledger)
        assert holder.wait(30) == -signal.SIGKILL
        if session:
            eventually(lambda: not processes.is_alive(child), "its session goes with it")
        else:
            assert processes.is_alive(child)


def test_kill_of_a_pid_that_holds_nothing_kills_nothing(ledger: BotStore) -> None:
    with process("") as (stranger, child):
        ownership._kill(stranger.pid, ledger)
        assert processes.is_alive(stranger.pid)
        assert processes.is_alive(child)


def test_kill_of_a_holder_that_ended_is_no_error(ledger: BotStore, lock: Path) -> None:
    with process(lock) as (holder, _):
        holder.kill()
        eventually(lambda: not processes.is_alive(holder.pid), "it is a zombie")
        ownership._kill(holder.pid, ledger)
        holder.wait(30)
        ownership._kill(holder.pid, ledger)


@pytest.mark.parametrize("look", ["iterdir", "getpgid", "killpg"])
def test_kill_of_a_holder_that_ends_between_two_looks_is_no_error(
    ledger: BotStore, lock: Path, monkeypatch: pytest.MonkeyPatch, look: str
) -> None:
    with process(lock) as (holder, _):
        owner = Path if look == "iterdir" else os
        before = getattr(owner, look)

        def too_late(*arguments: object) -> object:
            holder.kill()
            holder.wait()
            return before(*arguments)

        monkeypatch.setattr(owner, look, too_late)
        ownership._kill(holder.pid, ledger)
        assert holder.returncode == -signal.SIGKILL
