from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.command import Execsvc
from support.environment import scrubbed

import execsvc
from execsvc.cli import COMMANDS, main, program
from execsvc.errors import ConfigRefused, LedgerFailed, OrderRefused, Unavailable


@pytest.mark.parametrize(
    ("error", "code", "lines"),
    [
        (ConfigRefused("one", "two"), 78, ["execsvc: one", "execsvc: two"]),
        (Unavailable("nobody there"), 69, ["execsvc: nobody there"]),
        (LedgerFailed("damaged"), 1, ["execsvc: damaged"]),
        (OrderRefused("no"), 1, ["execsvc: no"]),
        (PermissionError(13, "Permission denied"), 1, ["execsvc: [Errno 13] Permission denied"]),
    ],
)
def test_an_error_is_a_line_and_an_exit_code(
    error: Exception,
    code: int,
    lines: list[str],
    execsvc: Execsvc,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def raises(*args: object, **kwargs: object) -> None:
        raise error

    monkeypatch.setattr(program, "main", raises)

    outcome = execsvc("check")

    assert outcome.code == code
    assert outcome.err.splitlines() == lines


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["log"], ["strategies", "--nonsense"]])
def test_wrong_usage_is_one_line_and_exit_2(arguments: list[str], execsvc: Execsvc) -> None:
    outcome = execsvc(*arguments)

    assert outcome.code == 2
    assert len(outcome.err.splitlines()) == 1
    assert "--help" in outcome.err


def test_main_version_prints_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"execsvc {execsvc.__version__}\n"


def test_help_names_every_command(execsvc: Execsvc) -> None:
    outcome = execsvc("--help")

    assert outcome.code == 0
    assert all(f"  {name} " in outcome.out for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_lists_its_exit_codes_within_80_columns(
    name: str, execsvc: Execsvc
) -> None:
    outcome = execsvc(name, "--help")

    assert outcome.code == 0
    assert "Exit codes:" in outcome.out
    assert max(len(line) for line in outcome.out.splitlines()) <= 80


def test_every_file_of_a_command_is_in_the_list() -> None:
    folder = Path(execsvc.__file__).parent / "cli"
    verbs = {
        path.stem
        for path in folder.glob("[a-z]*.py")
        if re.search(r"^@click\.(command|group)", path.read_text("utf-8"), re.MULTILINE)
    }

    assert verbs == set(COMMANDS)


def _imported_by(code: str) -> set[str]:
    program = f"import sys; {code}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=scrubbed(),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return set(done.stdout.splitlines()[-1].split())


def test_the_command_line_itself_imports_next_to_nothing() -> None:
    modules = _imported_by("from execsvc.cli import main; main(['--help'])")

    assert not {"pydantic", "requests", "flask", "sqlite3", "loguru"} & modules


def test_run_imports_neither_the_http_server_nor_the_sandbox() -> None:
    modules = _imported_by("from execsvc.cli import main; main(['run', '--help'])")

    assert "execsvc.cli.run" in modules
    assert not {"flask", "gunicorn", "jinja2", "apprise", "execsvc.sandbox"} & modules


@pytest.mark.parametrize("arguments", [["--version"], ["nonsense"]])
def test_python_m_is_the_same_program(arguments: list[str], execsvc: Execsvc) -> None:
    here = execsvc(*arguments)

    done = subprocess.run(
        [sys.executable, "-m", "execsvc", *arguments],
        env=scrubbed(),
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (done.returncode, done.stdout, done.stderr) == here


def test_main_under_an_ignored_sigchld_sees_how_its_children_end() -> None:
    """The kernel would reap them by itself, and with them their exit codes."""
    code = (
        "import signal, subprocess\n"
        "before = signal.getsignal(signal.SIGCHLD)\n"
        "from execsvc.cli import main\n"
        "main(['--version'])\n"
        "print(before.name, subprocess.run(['false']).returncode)"
    )
    done = subprocess.run(
        ["env", "--ignore-signal=CHLD", sys.executable, "-c", code],
        env=scrubbed(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "SIG_IGN 1"
