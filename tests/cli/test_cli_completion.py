"""``execsvc completion``, in a real bash where there is one."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.command import ControlSocket, Execsvc
from support.environment import become, scrubbed
from support.requirements import needs

BASH = shutil.which("bash")
needs_bash = needs("bash")


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of the PATH with ``execsvc`` in it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "execsvc"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m execsvc "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    return folder


@pytest.fixture
def known(daemon: ControlSocket) -> ControlSocket:
    """A daemon with some bots."""
    daemon.names = {
        "86565374-aa": "My BTC bot",
        "86565374-bb": "Twin",
        "99-cc": "Twin",
        "odd:1": "比特币",  # a bash takes words apart at a colon
        "$(reboot)": "`x`; 'y'",
    }
    return daemon


def offered(*words: str) -> list[str]:
    """The words that bash would offer for the last of ``words``, by the registered function."""
    script = (
        'eval "$(execsvc completion bash)"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
        "_execsvc_completion execsvc; printf '%s\\n' \"${COMPREPLY[@]}\""
    )
    done = subprocess.run(
        [str(BASH), "--norc", "-c", script, "bash", *words],
        env=scrubbed(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stderr == ""
    return done.stdout.split("\n")[:-1]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_of_each_shell_prints_its_script(shell: str, execsvc: Execsvc) -> None:
    done = execsvc("completion", shell)
    assert (done.code, done.err) == (0, "")
    assert "_execsvc_completion" in done.out
    assert f"_EXECSVC_COMPLETE={shell}_complete" in done.out


def test_completion_of_another_shell_is_wrong_usage(execsvc: Execsvc) -> None:
    assert execsvc("completion", "cmd").code == 2


@needs_bash
def test_completion_offers_commands_and_options(path: Path) -> None:
    assert offered("execsvc", "st") == ["status", "stop", "strategies", "store"]
    assert "--no-wait" in offered("execsvc", "halt", "--")
    assert offered("execsvc", "completion", "") == ["bash", "zsh", "fish"]


@needs_bash
def test_completion_offers_ids_and_unique_names(path: Path, known: ControlSocket) -> None:
    assert offered("execsvc", "stop", "") == [
        *("86565374-aa", "86565374-bb", "99-cc"),
        *("My\\ BTC\\ bot", "比特币"),
    ]
    assert offered("execsvc", "log", "8656") == ["86565374-aa", "86565374-bb"]
    assert offered("execsvc", "settle", "My\\ B") == ["My\\ BTC\\ bot"]
    assert offered("execsvc", "release", "T") == [""]


@needs_bash
def test_completion_without_a_daemon_offers_and_prints_nothing(path: Path) -> None:
    assert offered("execsvc", "stop", "") == [""]


@needs_bash
def test_completion_uses_the_directory_of_the_command_line(
    path: Path, known: ControlSocket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EXECSVC_RUNTIME_DIR")
    words = ("execsvc", "stop", "--runtime-dir", str(tmp_path / "run"), "99")
    assert offered(*words) == ["99-cc"]
    (tmp_path / "env").write_text(f"EXECSVC_RUNTIME_DIR={tmp_path / 'run'}\n")
    assert offered("execsvc", "stop", "--env-file", str(tmp_path / "env"), "99") == ["99-cc"]
    assert offered("execsvc", "stop", "--env-file", str(tmp_path / "none"), "99") == [""]


@pytest.fixture
def terminal(path: Path) -> Iterator[int]:
    """An interactive bash, as the master side of its terminal."""
    pid, master = pty.fork()
    if pid == 0:
        become([str(BASH), "--norc", "--noprofile", "-i"], scrubbed())
    yield master
    os.close(master)
    os.waitpid(pid, 0)


def until(terminal: int, pattern: str) -> str:
    """The output of the terminal until ``pattern`` matches."""
    shown = ""
    while not re.search(pattern, shown):
        assert select.select([terminal], [], [], 60)[0], f"{pattern} is not in {shown!r}"
        shown += os.read(terminal, 4096).decode(errors="replace")
    return shown


@needs_bash
def test_completion_tab_in_an_interactive_bash_completes(
    known: ControlSocket, terminal: int
) -> None:
    known.answers["stop"] = [{"ok": True, "state": "STOPPING", "written": True}]
    os.write(terminal, b"PS1='> '; bind 'set enable-bracketed-paste off'\n")
    os.write(terminal, b'eval "$(execsvc completion bash)"; echo re"ady"\n')
    until(terminal, "ready")
    os.write(terminal, b"execsvc resu\t")
    until(terminal, "execsvc resume ")
    os.write(terminal, b"\x15echo\x15execsvc stop My\t")
    until(terminal, r"execsvc stop My\\ BTC\\ bot ")
    os.write(terminal, b"--no-wait --json\n")
    until(terminal, "86565374-aa")
    assert known.told == [{"call": "stop", "bot_id": "86565374-aa"}]
    os.write(terminal, b"exit\n")
