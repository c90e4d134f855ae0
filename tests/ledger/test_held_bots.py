"""The bots an operator ended, across restarts."""

from __future__ import annotations

from pathlib import Path

import pytest

from execsvc.errors import LedgerFailed
from execsvc.ledger.held import FILE, HeldBots


def test_held_bots_survive(tmp_path: Path) -> None:
    held = HeldBots(tmp_path)
    held.add("a/b", keeps=True)
    held.add("c", keeps=False)
    held.add("d", keeps=False)
    held.discard("d")
    assert HeldBots(tmp_path).bots == {"a/b": True, "c": False}


def test_nobody_is_held_at_first(tmp_path: Path) -> None:
    assert HeldBots(tmp_path).bots == {}
    HeldBots(tmp_path).discard("unknown")
    assert not (tmp_path / FILE).exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": "b"}', "\0" * 100])
def test_a_damaged_file_is_refused_and_left_alone(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(LedgerFailed, match=FILE):
        HeldBots(tmp_path)
    assert (tmp_path / FILE).read_text() == text


def test_what_cannot_be_written_is_said_and_known_all_the_same(tmp_path: Path) -> None:
    held = HeldBots(tmp_path)
    (tmp_path / "held.new").mkdir()
    with pytest.raises(LedgerFailed, match="cannot be written"):
        held.add("a", keeps=False)
    assert held.bots == {"a": False}


def test_the_file_is_private(tmp_path: Path) -> None:
    HeldBots(tmp_path).add("a", keeps=False)
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0
