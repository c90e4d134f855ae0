"""The scripts on a machine that lacks what they need."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import click
import pytest
from support.environment import scrubbed
from support.requirements import needs

from execsvc.cli import COMMANDS, program
from execsvc.settings.model import PREFIX, SECRET

SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"


def run(script: str, python: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SCRIPTS / script],
        env=scrubbed(PATH="/usr/bin:/bin", PYTHON=str(python)),
        capture_output=True,
        text=True,
        timeout=60,
    )


def interpreter(folder: Path, answer: str) -> Path:
    """A program that answers what the scripts ask of a Python."""
    path = folder / "python3"
    path.write_text(f"#!/bin/sh\necho '{answer}'\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("script", ["test", "lint", "demo", "pages"])
@pytest.mark.parametrize(
    ("answer", "reason"),
    [("3.9 old /usr/bin/python3.9", "too old"), ("3.11 no-venv /usr/bin/python3.11", "venv")],
)
def test_a_python_that_will_not_do_is_said_in_one_line_with_the_package(
    script: str, answer: str, reason: str, tmp_path: Path
) -> None:
    done = run(script, interpreter(tmp_path, answer))

    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert reason in line
    assert "python3-venv" in line


def test_a_python_that_does_not_run_is_said_in_one_line(tmp_path: Path) -> None:
    done = run("demo", tmp_path / "nothing")

    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "nothing" in line


def test_lower_bounds_are_read_from_setup_cfg() -> None:
    done = subprocess.run(
        ["bash", "-c", f". '{SCRIPTS}/_venv.sh' && lower_bounds"],
        env=scrubbed(),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    pinned = dict(line.split("==") for line in done.stdout.splitlines())
    assert {"click", "pydantic", "requests", "pytest", "ruff"} <= set(pinned)


def test_no_script_names_a_home_or_a_registry() -> None:
    text = "".join(path.read_text("utf-8") for path in SCRIPTS.iterdir() if path.is_file())

    assert [word for word in ("/root", "/home/", "pypi", "index-url") if word in text] == []


@pytest.mark.parametrize("script", ["install", "uninstall"])
def test_what_root_runs_says_what_it_takes_before_it_does_anything(script: str) -> None:
    shown = subprocess.run(
        [SCRIPTS / script, "--help"], env=scrubbed(), capture_output=True, text=True, timeout=60
    )
    wrong = subprocess.run(
        [SCRIPTS / script, "--nonsense"], env=scrubbed(), capture_output=True, text=True, timeout=60
    )

    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.startswith(f"Usage: scripts/{script} ")
    assert max(len(line) for line in shown.stdout.splitlines()) <= 105
    assert wrong.returncode == 1
    assert wrong.stderr == f"scripts/{script}: --nonsense is not known: scripts/{script} --help\n"


@needs("readable sources")
@pytest.mark.parametrize("script", ["install", "uninstall"])
def test_what_root_runs_is_refused_to_others(script: str) -> None:
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    dropping = nobody if os.geteuid() == 0 else []

    done = subprocess.run(
        [*dropping, SCRIPTS / script], env=scrubbed(), capture_output=True, text=True, timeout=60
    )

    assert done.returncode == 1
    assert done.stderr == f"scripts/{script}: root has to run this: sudo scripts/{script}\n"


@needs("shellcheck")
def test_shellcheck_finds_nothing() -> None:
    shell = [path for path in SCRIPTS.iterdir() if path.is_file() and path.suffix != ".py"]

    done = subprocess.run(
        ["shellcheck", "-x", *shell],
        cwd=SCRIPTS.parent,
        env=scrubbed(),
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert done.stdout == ""
    assert done.returncode == 0


def test_the_command_of_a_vm_hands_over_every_secret() -> None:
    wrapper = (SCRIPTS / "_wrapper").read_text("utf-8")
    (line,) = re.findall(r"^for token in (.*); do$", wrapper, re.MULTILINE)

    assert set(line.split()) == set(SECRET)
    assert PREFIX in wrapper


def test_the_command_of_a_vm_lets_every_user_call_what_reads_no_settings(tmp_path: Path) -> None:
    stub(tmp_path / "id", "[ $# = 2 ] && echo 999 || echo 1000")
    stub(tmp_path / "program", 'echo "$1"')
    environ = scrubbed(PATH=f"{tmp_path}:/usr/bin:/bin", EXECSVC_PROGRAM=str(tmp_path / "program"))

    codes = {
        name: subprocess.run(
            ["sh", SCRIPTS / "_wrapper", name], env=environ, capture_output=True
        ).returncode
        for name in COMMANDS
    }

    without = {name for name in COMMANDS if not reads_settings(name)}
    assert {"help", "strategies"} <= without
    assert {name for name in without if codes[name] != 0} == set()
    assert {codes[name] for name in ("run", "status", "stop", "settle")} == {77}


def stub(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def reads_settings(name: str) -> bool:
    command = program.get_command(click.Context(program), name)
    assert command is not None
    parts = list(command.commands.values()) if isinstance(command, click.Group) else [command]
    return any("--env-file" in parameter.opts for part in parts for parameter in part.params)
