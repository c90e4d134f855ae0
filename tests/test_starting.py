"""Forked starts are as those of an interpreter of their own, and are made only where that is so."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.deadline import eventually
from support.environment import ignoring, scrubbed
from support.processes import is_alive
from support.starting import Forked, Starts

LOOK = """
import json, os, resource, signal, sys, threading
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(json.dumps({
    "environ": {n: v for n, v in os.environ.items() if n != "LC_CTYPE"},
    "arguments": sys.argv,
    "module": (__name__, __file__, __spec__.name, sys.modules["__main__"].__dict__ is globals()),
    "path": sys.path,
    "folder": os.getcwd(),
    # Those above 31 are the C library's own.
    **{name: int(status[name], 16) % 2**31 for name in ("SigIgn", "SigBlk", "SigCgt")},
    "umask": status["Umask"],
    "threads": [thread.name for thread in threading.enumerate()],
    "descriptors": sorted(int(name) for name in os.listdir("/proc/self/fd"))[:-1],
    "input": sys.stdin.read(),
    "streams": [str((s.encoding, s.errors, s.line_buffering)) for s in (sys.stdout, sys.stderr)],
    "session": os.getsid(0) == os.getpid(),
    "limits": resource.getrlimit(resource.RLIMIT_NOFILE),
    "flags": str(sys.flags),
}))
print("to the other one", file=sys.stderr)
"""
ENDS = """
import os, signal, sys
how = sys.argv[1]
print("said", how)
if how == "exit":
    sys.exit(3)
if how == "raise":
    raise ValueError("no")
if how == "killed":
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)
if how == "at once":
    os._exit(5)
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Starts]:
    """Starts of this module, with a server of its own."""
    made = Starts()
    yield made
    made.close()


@pytest.fixture
def starts(server: Starts) -> Iterator[Starts]:
    """Starts that are forked where they may be."""
    yield server
    server.always_real = server.marked_real = False


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the modules that are run."""
    (tmp_path / "looking.py").write_text(LOOK)
    (tmp_path / "ending_somehow.py").write_text(ENDS)
    return tmp_path


@pytest.fixture
def environ(folder: Path) -> dict[str, str]:
    """An environment in which they are found."""
    return scrubbed(PYTHONPATH=f"{folder}:/nonexistent", EXECSVC_LOG_LEVEL="INFO")


def both(
    starts: Starts, module: str, arguments: list[str], environ: dict[str, str], session: bool
) -> list[tuple[int, str, str]]:
    """Exit code and what was printed, of a forked start and of a real one."""
    found = []
    for real in (False, True):
        starts.always_real = real
        with (
            (Path(environ["PYTHONPATH"].split(":")[0]) / f"{module}-{real}").open("w+b") as output,
            (Path(environ["PYTHONPATH"].split(":")[0]) / "errors").open("w+b") as errors,
        ):
            running = starts.start(module, arguments, environ, output, errors, session=session)
            assert isinstance(running, Forked) is not real
            code = running.wait(60)
            output.seek(0)
            errors.seek(0)
            found.append((code, output.read().decode(), errors.read().decode()))
    return found


@pytest.mark.parametrize("session", [True, False])
def test_what_a_program_sees_of_its_start_is_the_same(
    starts: Starts,
    environ: dict[str, str],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    session: bool,
) -> None:
    assert forks(starts, environ), "the server has the usual umask and directory"
    monkeypatch.chdir(folder)
    before = os.umask(0o027)
    try:
        forked, real = both(starts, "looking", ["one", "two"], environ, session)
    finally:
        os.umask(before)

    seen: list[dict[str, Any]] = [json.loads(each[1]) for each in (forked, real)]
    assert seen[0] == seen[1]
    assert (forked[0], forked[2]) == (real[0], real[2]) == (0, "to the other one\n")
    assert seen[0]["session"] is session
    assert seen[0]["environ"] == environ


def test_a_pipe_is_written_to_as_by_a_real_start(
    starts: Starts, environ: dict[str, str], folder: Path
) -> None:
    text = "import sys; sys.stdout.reconfigure(errors='replace'); print(sys.stdout.seekable())"
    (folder / "piped.py").write_text(text)
    said = []
    for real in (False, True):
        starts.always_real = real
        read_end, write_end = os.pipe()
        with open(read_end) as pipe, (folder / "errors").open("wb") as errors:  # noqa: PTH123
            with open(write_end, "wb") as output:  # noqa: PTH123
                running = starts.start("piped", [], environ, output, errors)
            said.append((pipe.read(), running.wait(60)))
    assert said == [("False\n", 0)] * 2


@pytest.mark.parametrize(
    ("how", "code"), [("", 0), ("exit", 3), ("raise", 1), ("killed", -9), ("at once", 5)]
)
def test_an_end_is_the_same(starts: Starts, environ: dict[str, str], how: str, code: int) -> None:
    forked, real = both(starts, "ending_somehow", [how], environ, True)

    assert forked[:2] == real[:2]
    assert forked[0] == code
    assert ("ValueError: no" in forked[2]) == ("ValueError: no" in real[2]) == (how == "raise")


def test_a_run_to_the_end_has_what_was_printed(starts: Starts, environ: dict[str, str]) -> None:
    done = starts.run("ending_somehow", ["exit"], environ, 60)

    assert (done.returncode, done.stdout, done.stderr) == (3, "said exit\n", "")


def test_a_process_that_goes_on_outlives_the_server(
    server: Starts, environ: dict[str, str], folder: Path
) -> None:
    (folder / "endless.py").write_text("import signal; signal.pause()")
    with (folder / "output").open("wb") as output:
        running = server.start("endless", [], environ, output, output)
    assert running.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        running.wait(0.05)

    server.close()

    assert is_alive(running.pid), "it outlives the server"
    os.kill(running.pid, signal.SIGKILL)
    eventually(lambda: not is_alive(running.pid), "it is killed")


KILLED = """
import signal, sys
from support.environment import scrubbed
from support.starting import Forked, Starts

with open("output", "wb") as output:
    started = Starts().start("parent", [], scrubbed(PYTHONPATH=sys.argv[1]), output, output)
assert isinstance(started, Forked)
print(started.pid, flush=True)
signal.pause()
"""
PARENT = """
import os, signal
child = os.fork()
if child:
    open("child", "w").write(str(child))
signal.pause()
"""


def test_processes_of_a_test_run_that_is_killed_end_with_it(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    (tmp_path / "parent.py").write_text(PARENT)
    run = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)],
        env={**environ, "PYTHONPATH": str(Path(__file__).parent)},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert run.stdout is not None
    pid = int(run.stdout.readline())
    child = tmp_path / "child"
    eventually(lambda: child.exists() and child.read_text(), "it has a child")

    run.kill()
    run.wait()
    run.stdout.close()

    for each in (pid, int(child.read_text())):
        eventually(lambda pid=each: not is_alive(pid), "it is killed")


def forks(starts: Starts, environ: dict[str, str], **more: str) -> bool:
    """True when a start with this environment is forked."""
    with Path(os.devnull).open("wb") as nothing:
        running = starts.start("ending_somehow", [""], {**environ, **more}, nothing, nothing)
        assert running.wait(60) == 0
    return isinstance(running, Forked)


@pytest.mark.parametrize(
    "more",
    [
        {"TZ": "Asia/Seoul"},
        {"PYTHONUNBUFFERED": "1"},
        {"LANG": "de_DE.UTF-8"},
        {"HOME": "/nonexistent"},
        {"LD_PRELOAD": ""},
    ],
    ids=lambda more: next(iter(more)),
)
def test_an_unusual_environment_has_an_interpreter_of_its_own(
    starts: Starts, environ: dict[str, str], more: dict[str, str]
) -> None:
    assert forks(starts, environ)
    assert not forks(starts, environ, **more)


def test_ignored_signals_and_limits_have_an_interpreter_of_their_own(
    starts: Starts, environ: dict[str, str]
) -> None:
    assert forks(starts, environ)
    with ignoring(signal.SIGINT):
        assert not forks(starts, environ)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft - 1, hard))
    try:
        assert not forks(starts, environ)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.real_start
def test_the_marker_makes_a_start_real(
    request: pytest.FixtureRequest, starts: Starts, environ: dict[str, str]
) -> None:
    starts.choose(request.node)
    assert not forks(starts, environ)


def test_a_start_under_a_command_is_real(starts: Starts, environ: dict[str, str]) -> None:
    with Path(os.devnull).open("wb") as nothing:
        running = starts.start(
            "ending_somehow", ["exit"], environ, nothing, nothing, under=("env", "--")
        )
        assert isinstance(running, subprocess.Popen)
        assert running.wait(60) == 3
