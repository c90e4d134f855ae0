"""Rules of every command: help, exit codes, one line for an error."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from support.command import ControlSocket, Execsvc

from execsvc.cli import COMMANDS, exit_codes, program
from execsvc.cli.output import columns

CODES = {value for value in vars(exit_codes).values() if isinstance(value, int)}
JSON = {
    *("stop", "halt", "resume", "settle", "release", "check", "status", "log", "strategies"),
    "help",
}


def command(name: str) -> click.Command:
    found = program.get_command(click.Context(program), name)
    assert found is not None
    return found


def listed_codes(text: str) -> list[int]:
    """The exit codes that a help text lists, in its order."""
    _, _, listed = text.partition("Exit codes:\n")
    return [int(code) for code in re.findall(r"^ +(\d+) +\S", listed, re.MULTILINE)]


@pytest.mark.parametrize("name", COMMANDS)
def test_help_lists_exit_codes_that_exist_in_their_order(name: str, execsvc: Execsvc) -> None:
    text = execsvc(name, "--help").out
    assert "\\b" not in text  # what keeps lines as they are is not to be read
    listed = listed_codes(text)
    assert listed == sorted(set(listed))
    assert {0, 2, 130} <= set(listed) <= CODES
    assert max(columns(line) for line in text.splitlines()) <= 80


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_and_argument_is_explained(name: str) -> None:
    for parameter in command(name).params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name
        elif parameter.metavar is None:
            assert f"{parameter.name}".upper() in (command(name).help or "")


@pytest.mark.parametrize("name", COMMANDS)
def test_settings_at_fault_are_exit_78_where_settings_are_read(
    name: str, execsvc: Execsvc, tmp_path: Path
) -> None:
    options = {option for parameter in command(name).params for option in parameter.opts}
    if "--env-file" not in options:
        return
    assert 78 in listed_codes(execsvc(name, "--help").out)


def test_list_of_commands_fits_80_columns(execsvc: Execsvc) -> None:
    text = execsvc("--help").out
    assert max(columns(line) for line in text.splitlines()) <= 80
    assert all(meaning in text for meaning in COMMANDS.values())


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("wrong", ["--nonsense", "too\nmany\x1b[31m arguments"])
def test_wrong_usage_is_one_line_without_a_traceback(
    name: str, wrong: str, execsvc: Execsvc
) -> None:
    done = execsvc(name, wrong, wrong, wrong)
    assert (done.code, done.out) == (2, "")
    assert len(done.err.splitlines()) == 1
    assert done.err.startswith("execsvc: ")
    assert "\x1b" not in done.err


@pytest.mark.parametrize("name", sorted(JSON))
def test_command_with_json_prints_json(name: str) -> None:
    assert "--json" in {option for parameter in command(name).params for option in parameter.opts}


@pytest.mark.parametrize("name", ["stop", "halt", "resume", "status", "log"])
def test_command_unreadable_answer_of_the_daemon_is_one_line(
    name: str, execsvc: Execsvc, daemon: ControlSocket
) -> None:
    daemon.gone_after = 0
    done = execsvc(name, *(["b1"] if name in ("stop", "log") else []))
    assert done.code in (1, 2, 69)
    assert len(done.err.splitlines()) == 1
