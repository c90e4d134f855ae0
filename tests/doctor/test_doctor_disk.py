"""Disks that are full, and file systems that do not keep what they promise."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.stores import store_in

from execsvc.doctor.disk import (
    FEW_FILES,
    LEAST_FILES,
    LEAST_ROOM,
    LITTLE_ROOM,
    judge_files,
    judge_kind,
    judge_room,
    look,
)
from execsvc.doctor.finding import Level

PLACE = "/var/lib/execsvc"


@pytest.mark.parametrize(
    ("free", "level"),
    [
        (LEAST_ROOM - 1, Level.FAULT),
        (LEAST_ROOM, Level.WARNING),
        (LITTLE_ROOM - 1, Level.WARNING),
        (LITTLE_ROOM, Level.OK),
    ],
)
def test_room(free: int, level: Level) -> None:
    assert judge_room(free, PLACE).level is level


@pytest.mark.parametrize(
    ("free", "level"),
    [
        (LEAST_FILES - 1, Level.FAULT),
        (LEAST_FILES, Level.WARNING),
        (FEW_FILES, Level.OK),
        (None, Level.OK),
    ],
)
def test_files(free: int | None, level: Level) -> None:
    assert judge_files(free, PLACE).level is level


@pytest.mark.parametrize(
    ("kind", "level"),
    [
        ("ext4", Level.OK),
        ("overlay", Level.OK),
        ("tmpfs", Level.WARNING),
        ("nfs4", Level.FAULT),
        ("fuse.sshfs", Level.FAULT),
    ],
)
def test_kinds(kind: str, level: Level) -> None:
    finding = judge_kind(kind, PLACE)

    assert finding.level is level
    assert kind in finding.what


def test_a_directory_that_is_not_there_yet_is_judged_by_where_it_will_be(tmp_path: Path) -> None:
    findings = look(store_in(tmp_path / "a" / "b").place())
    assert len(findings) == 3
    assert all(str(tmp_path) in finding.what for finding in findings)
    assert not (tmp_path / "a").exists()
