"""A command line of its own for each test, with its directories under tmp_path."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.command import ControlSocket, Execsvc, Outcome

from execsvc.cli import main


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both directories under ``tmp_path``, here and in what a test starts."""
    monkeypatch.setenv("EXECSVC_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("EXECSVC_RUNTIME_DIR", str(tmp_path / "run"))


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    """The state directory of the commands."""
    return tmp_path / "state"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A temporary directory with a path so short that a unix socket fits in."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@pytest.fixture
def execsvc(capsys: pytest.CaptureFixture[str]) -> Execsvc:
    """Runs one command in this process."""

    def run(*arguments: str) -> Outcome:
        code = main(arguments)
        return Outcome(code, *capsys.readouterr())

    return run


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[ControlSocket]:
    """A daemon, as far as the operator's commands see it."""
    running = ControlSocket(tmp_path / "run")
    yield running
    running.stop()
