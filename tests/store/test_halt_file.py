"""The kill switch, across restarts."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from execsvc.errors import LedgerFailed
from execsvc.store.halted import LONGEST_REASON
from execsvc.store.sqlite import whole_file
from execsvc.store.sqlite.service.halt import FILE, HaltFile


def test_nobody_has_halted_at_first(tmp_path: Path) -> None:
    assert HaltFile(tmp_path).current is None
    assert not (tmp_path / FILE).exists()


def test_a_halt_survives_and_ends(tmp_path: Path) -> None:
    halt = HaltFile(tmp_path)
    halt.begin("the exchange lies")
    again = HaltFile(tmp_path)
    assert again.current == halt.current
    assert again.current is not None
    assert again.current.text == "trading is halted: the exchange lies"
    assert json.loads((tmp_path / FILE).read_text()) == again.current.model_dump()
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0
    again.end()
    assert (again.current, HaltFile(tmp_path).current) == (None, None)


def test_a_second_word_keeps_since_and_gives_another_reason(tmp_path: Path) -> None:
    halt = HaltFile(tmp_path)
    halt.begin("first")
    (tmp_path / FILE).write_text('{"since": "2026-01-02T03:04:05.000Z", "reason": "first"}')
    halt = HaltFile(tmp_path)
    for said, kept in ((None, "first"), ("second", "second"), (None, "second")):
        halt.begin(said)
        assert halt.current is not None
        assert (halt.current.since, halt.current.reason) == ("2026-01-02T03:04:05.000Z", kept)


def test_a_reason_is_one_short_line_that_steers_no_terminal(tmp_path: Path) -> None:
    halt = HaltFile(tmp_path)
    for said, kept in (
        (None, "by an operator"),
        (" a\nb\x1b[31m\ud800 ", "a b [31m"),
        ("x" * 900, "x" * LONGEST_REASON),
    ):
        halt.begin(said)
        assert halt.current is not None
        assert halt.current.reason == kept
        halt.end()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"since": 1}', "\0" * 100, '{"reason": "x"}'])
def test_a_damaged_file_counts_as_halted(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    os.utime(tmp_path / FILE, (1_767_323_045, 1_767_323_045))
    halt = HaltFile(tmp_path)
    assert halt.damage
    assert halt.current is not None
    assert halt.current.since == "2026-01-02T03:04:05.000Z"
    assert "halted.json cannot be read (it is not JSON" in halt.current.reason
    assert (tmp_path / FILE).read_text() == text
    halt.begin(None)
    assert halt.damage is None
    assert HaltFile(tmp_path).damage is None
    HaltFile(tmp_path).end()
    assert HaltFile(tmp_path).current is None


def test_a_file_that_cannot_be_opened_counts_as_halted_and_stays_so(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    halt = HaltFile(tmp_path)
    assert halt.current is not None
    with pytest.raises(LedgerFailed, match="cannot be removed"):
        halt.end()
    assert halt.current is not None


def test_what_cannot_be_written_is_said_and_in_force_all_the_same(tmp_path: Path) -> None:
    halt = HaltFile(tmp_path)
    (tmp_path / "halted.new").mkdir()
    with pytest.raises(LedgerFailed, match=r"halted.json cannot be written"):
        halt.begin("now")
    assert halt.current is not None


def test_file_and_directory_are_on_the_disk_before_anybody_is_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def synced(descriptor: int) -> None:
        name = Path(f"/proc/self/fd/{descriptor}").readlink()
        steps.append(f"fsync {name.name}")
        fsync(descriptor)

    def replaced(self: Path, target: Path) -> Path:
        steps.append("replace")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", replaced)
    whole_file.replace(tmp_path / FILE, b"{}")
    assert steps == ["fsync halted.new", "replace", f"fsync {tmp_path.name}"]
    steps.clear()
    whole_file.remove(tmp_path / FILE)
    assert steps == [f"fsync {tmp_path.name}"]
