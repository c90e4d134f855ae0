"""The place of the tests' directories: memory, or a disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.in_memory import ROOT_OF_TESTS, has_room, use


def test_has_room_of_a_place_that_is_too_small_or_missing_is_false(tmp_path: Path) -> None:
    assert has_room(tmp_path, room=1)
    assert not has_room(tmp_path, room=1 << 60)
    assert not has_room(tmp_path / "missing", room=1)


def test_use_of_a_place_keeps_one_that_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ROOT_OF_TESTS, "/given")
    use(tmp_path)
    assert os.environ[ROOT_OF_TESTS] == "/given"


def test_use_of_a_missing_place_leaves_the_directories_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(ROOT_OF_TESTS, raising=False)
    use(tmp_path / "missing")
    assert ROOT_OF_TESTS not in os.environ
