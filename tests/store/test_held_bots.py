"""The bots an operator ended, across restarts."""

from __future__ import annotations

from pathlib import Path

import pytest

from execsvc.errors import LedgerFailed
from execsvc.store.sqlite.service.held import DAMAGED, FILE, HeldBotsFile


def test_held_bots_survive(tmp_path: Path) -> None:
    held = HeldBotsFile(tmp_path)
    held.add("a/b", keeps=True)
    held.add("c", keeps=False)
    held.add("d", keeps=False)
    held.discard("d")
    assert HeldBotsFile(tmp_path).bots == {"a/b": True, "c": False}


def test_nobody_is_held_at_first(tmp_path: Path) -> None:
    assert HeldBotsFile(tmp_path).bots == {}
    HeldBotsFile(tmp_path).discard("unknown")
    assert not (tmp_path / FILE).exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": "b"}', "\0" * 100])
def test_a_damaged_file_is_told_and_left_alone(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    held = HeldBotsFile(tmp_path)
    assert held.damage == "it is not JSON of ids and booleans"
    assert held.bots == {}
    for decide in (lambda: held.add("a", keeps=False), lambda: held.discard("a")):
        with pytest.raises(LedgerFailed, match="start the service"):
            decide()
    assert (tmp_path / FILE).read_text() == text


def test_a_file_that_is_no_file_is_told(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    assert HeldBotsFile(tmp_path).damage == "Is a directory"


def test_suspects_are_held_with_their_positions_and_written_with_the_first_decision(
    tmp_path: Path,
) -> None:
    (tmp_path / FILE).write_text("{")
    held = HeldBotsFile(tmp_path)
    held.suspect(["a", "b", "c"])
    assert (tmp_path / FILE).read_text() == "{"
    held.add("a", keeps=False)
    held.discard("b")
    assert [held.is_suspect(bot_id) for bot_id in "abc"] == [False, False, True]
    again = HeldBotsFile(tmp_path)
    assert again.damage is None
    assert again.bots == {"a": False, "c": True}
    assert (tmp_path / DAMAGED).read_text() == "{"


def test_what_cannot_be_written_is_said_and_known_all_the_same(tmp_path: Path) -> None:
    held = HeldBotsFile(tmp_path)
    (tmp_path / "held.new").mkdir()
    with pytest.raises(LedgerFailed, match="cannot be written"):
        held.add("a", keeps=False)
    assert held.bots == {"a": False}
    with pytest.raises(LedgerFailed, match="cannot be written"):
        held.write_again()
    (tmp_path / "held.new").rmdir()
    held.write_again()
    assert HeldBotsFile(tmp_path).bots == {"a": False}


def test_the_file_is_private(tmp_path: Path) -> None:
    HeldBotsFile(tmp_path).add("a", keeps=False)
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0
