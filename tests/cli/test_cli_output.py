"""Output that cannot be written: exit codes, and not a word of the interpreter's."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.command import ControlSocket
from support.environment import scrubbed
from support.recordings import random_market, write

FULL = "No space left on device"
UNBUFFERED = {"PYTHONUNBUFFERED": "1"}
"""PYTHONUNBUFFERED is rarely set; without it the interpreter flushes once more at its end."""
COMPLETION = {"_EXECSVC_COMPLETE": "bash_complete", "COMP_WORDS": "execsvc s", "COMP_CWORD": "1"}


@contextmanager
def unread() -> Iterator[int]:
    """The write end of a pipe without a reader."""
    read, write_end = os.pipe()
    os.close(read)
    yield write_end
    os.close(write_end)


@contextmanager
def full() -> Iterator[int]:
    """A file on a disk without room."""
    descriptor = os.open("/dev/full", os.O_WRONLY)
    yield descriptor
    os.close(descriptor)


def run(*arguments: str, out: int, err: int, environ: dict[str, str]) -> tuple[int, str, str]:
    """Exit code, output and error output of a command; empty what went to a descriptor."""
    done = subprocess.run(
        [sys.executable, "-m", "execsvc", *arguments],
        env=scrubbed(environ),
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=err,
        text=True,
        timeout=100,
    )
    return done.returncode, done.stdout or "", done.stderr or ""


def with_stdout(stdout: int, *arguments: str, **environ: str) -> tuple[int, str]:
    """Exit code and error output."""
    code, _, err = run(*arguments, out=stdout, err=subprocess.PIPE, environ=environ)
    return code, err


def with_stderr(stderr: int, *arguments: str, **environ: str) -> tuple[int, str]:
    """Exit code and output."""
    code, out, _ = run(*arguments, out=subprocess.PIPE, err=stderr, environ=environ)
    return code, out


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["stop", "--help"],
        ["strategies"],
        ["strategies", "--json"],
        ["completion", "bash"],
        ["doctor"],
        ["sandbox", "--port", "0"],
    ],
    ids=" ".join,
)
def test_command_stdout_unread_exits_141_in_silence(arguments: list[str]) -> None:
    with unread() as stdout:
        assert with_stdout(stdout, *arguments) == (141, "")


@pytest.mark.parametrize("arguments", [["--help"], ["sandbox", "--port", "0"]], ids=" ".join)
def test_command_unbuffered_stdout_unread_exits_141_in_silence(arguments: list[str]) -> None:
    with unread() as stdout:
        assert with_stdout(stdout, *arguments, **UNBUFFERED) == (141, "")


def test_answer_of_a_daemon_stdout_unread_exits_141_in_silence(daemon: ControlSocket) -> None:
    daemon.answers["resume"] = [{"ok": True, "was": None, "held": []}]
    with unread() as stdout:
        assert with_stdout(stdout, "resume") == (141, "")


def test_completion_request_stdout_unread_exits_141_in_silence() -> None:
    with unread() as stdout:
        assert with_stdout(stdout, **COMPLETION) == (141, "")


@pytest.mark.parametrize("arguments", [["strategies"], ["sandbox", "--port", "0"]], ids=" ".join)
def test_command_stdout_full_is_one_line_and_exit_1(arguments: list[str]) -> None:
    with full() as stdout:
        assert with_stdout(stdout, *arguments) == (1, f"execsvc: standard output: {FULL}\n")


def test_command_unbuffered_stdout_full_is_one_line_and_exit_1() -> None:
    with full() as stdout:
        code, err = with_stdout(stdout, "--help", **UNBUFFERED)
    assert (code, len(err.splitlines())) == (1, 1)
    assert FULL in err


def test_completion_request_stdout_full_is_one_line_and_exit_1() -> None:
    with full() as stdout:
        code, err = with_stdout(stdout, **COMPLETION)
    assert (code, err) == (1, f"execsvc: standard output: {FULL}\n")


@pytest.mark.parametrize("stderr", [unread, full])
@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["nonsense"], 2), (["status"], 69), (["run"], 78), (["strategies", "--help"], 0)],
    ids=["usage", "unreachable", "refused", "help"],
)
def test_error_that_cannot_be_printed_keeps_its_exit_code(
    arguments: list[str], code: int, stderr: object
) -> None:
    """A unit of systemd that is refused its settings must not be restarted for ever."""
    assert callable(stderr)
    with stderr() as descriptor:
        assert with_stderr(descriptor, *arguments)[0] == code


def test_error_unbuffered_that_cannot_be_printed_keeps_its_exit_code() -> None:
    with full() as stderr:
        assert with_stderr(stderr, "status", **UNBUFFERED)[0] == 69


@pytest.mark.parametrize(("stderr", "code"), [(unread, 141), (full, 1)])
def test_command_output_lost_does_not_exit_0(stderr: object, code: int, tmp_path: Path) -> None:
    """A replay tells its pace on standard error, behind its report."""
    data = str(write(tmp_path / "market.jsonl", random_market(60)))
    replay = ["replay", "--strategy", "orderflow_exhaustion_v1", "--data", data]
    assert callable(stderr)
    with stderr() as descriptor:
        found, out = with_stderr(descriptor, *replay)
    assert found == code
    assert "recording" in out


def test_streams_closed_from_the_start_are_no_fault(tmp_path: Path) -> None:
    shell = ["sh", "-c", 'exec "$@" >&- 2>&-', "sh", sys.executable, "-m", "execsvc"]
    for arguments, code in ((["strategies"], 0), (["nonsense"], 2)):
        done = subprocess.run([*shell, *arguments], env=scrubbed(), timeout=100)
        assert done.returncode == code
