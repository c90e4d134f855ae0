"""Events of faults that hardly ever come to pass, each brought about in the code that tells of it."""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from support.environment import scrubbed
from support.facts import changed
from support.parts import Parts
from support.settings import settings
from support.store_files import BALLAST, ledger_path
from support.stores import store_in

from execsvc.supervisor.bots.bot import Bot
from execsvc.supervisor.bots.facts import HeldNotRecorded, Occurrence
from execsvc.supervisor.bots.next_step import Listed
from execsvc.supervisor.processes import parent


def in_a_process(folder: Path, code: str) -> int:
    """Run ``code``, its log in ``folder``; the exit code."""
    with (folder / "process.log").open("wb") as log:
        return subprocess.run(
            [
                sys.executable,
                "-c",
                f"from execsvc import logs\nlogs.setup('DEBUG', 'text')\n{code}",
            ],
            stderr=log,
            env=scrubbed(),
            timeout=60,
            check=False,
        ).returncode


def no_room(*_: object) -> None:
    raise OSError("no space left")


@pytest.mark.says("ballast_missing")
def test_ballast_without_room_is_logged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "posix_fallocate", no_room)

    store_in(tmp_path).keep_room()


@pytest.mark.says("disk_full")
def test_ballast_is_removed_on_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = store_in(tmp_path)
    store.keep_room()
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_bavail=0, f_frsize=4096))

    store.make_room()

    assert not (tmp_path / BALLAST).exists()


@pytest.mark.says("subreaper_missing")
def test_kernel_without_subreapers_is_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "setrlimit", lambda *_: None)
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: SimpleNamespace(prctl=lambda *_: -1))

    parent.prepare()


STRAY_OF_ANOTHER = """
import os, signal
from execsvc.supervisor.processes.child import Children
from execsvc.supervisor.processes.parent import prepare

prepare()
if (child := os.fork()) == 0:
    os.fork() or signal.pause()
    os._exit(0)
os.waitpid(child, 0)
kill, children = os.kill, Children()

def refuse(pid, signum):
    raise PermissionError(1, "Operation not permitted")

if os.geteuid() == 0:
    os.setresuid(65534, 65534, 0)
else:  # there is no other user whose process could be had
    os.kill = refuse
for _ in range(3):
    children.reap()
if os.getresuid()[2] == 0:
    os.setresuid(0, 0, 0)
os.kill = kill
Children().reap()
"""


@pytest.mark.says("stray_left", "stray_killed")
def test_stray_of_another_user_is_logged_once(tmp_path: Path) -> None:
    assert in_a_process(tmp_path, STRAY_OF_ANOTHER) == 0
    log = (tmp_path / "process.log").read_text()
    assert log.count("is another user's and lives on") == 1
    assert log.index("lives on") < log.index("killed stray")


@pytest.mark.says("held_not_written")
def test_hold_that_cannot_be_recorded_is_logged(tmp_path: Path) -> None:
    (tmp_path / "held.new").mkdir()
    store = store_in(tmp_path)
    parts = Parts(settings(), store)
    parts.fleet.bots["b1"] = changed(Bot("b1"), listed=Listed.VALID, current=True)

    answers = parts.bots.apply("b1", Occurrence.STOP_ASKED)

    assert [type(answer) for answer in answers] == [HeldNotRecorded]
    assert parts.records.held.bots == {"b1": False}


@pytest.mark.says("process_failed")
def test_child_with_a_fault_of_the_program_logs_it(tmp_path: Path) -> None:
    code = "from execsvc.supervisor.processes.child_begin import begin\nbegin(lambda: 1 / 0, set())"

    assert in_a_process(tmp_path, code) == 1


@pytest.mark.says("service_failed")
def test_supervisor_with_a_fault_of_the_program_logs_it(tmp_path: Path) -> None:
    code = (
        "from types import SimpleNamespace as Some\nfrom execsvc.cli.run import _run\n"
        "children = Some(close_lifeline=lambda: None)\n"
        "_run(Some(run=lambda: 1 / 0, context=Some(children=children)))"
    )

    assert in_a_process(tmp_path, code) == 1


@pytest.mark.says("ledger_failed")
def test_bot_with_a_damaged_ledger_is_failed(tmp_path: Path) -> None:
    path = ledger_path(tmp_path, "b1")
    path.parent.mkdir()
    path.write_bytes(b"no ledger")
    urls = {
        f"EXECSVC_{name}_URL": "http://127.0.0.1:1" for name in ("BOT_SERVICE", "EXCHANGE_ADAPTER")
    }
    code = (
        "import os, sys\nfrom execsvc import settings\nfrom execsvc.runner.job import Job, Task\n"
        "from execsvc.runner.process import run\n"
        f"loaded = settings.load({{}}, None, {{**{urls}, 'EXECSVC_STATE_DIR': {str(tmp_path)!r}}})\n"
        "lifeline, report = os.pipe()\n"
        "sys.exit(run(Job(bot_id='b1', task=Task.LIQUIDATE), loaded, lifeline, report))"
    )

    assert in_a_process(tmp_path, code) == 70
