"""Disks that are full, and file systems without durable writes or locks."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.stores import store_in

from execsvc.doctor.disk import (
    FEW_FILES,
    LEAST_FILES,
    LEAST_ROOM,
    LITTLE_ROOM,
    check,
    files_finding,
    kind_finding,
    room_finding,
)
from execsvc.doctor.finding import FindingLevel

PLACE = "/var/lib/execsvc"


@pytest.mark.parametrize(
    ("free", "level"),
    [
        (LEAST_ROOM - 1, FindingLevel.FAULT),
        (LEAST_ROOM, FindingLevel.WARNING),
        (LITTLE_ROOM - 1, FindingLevel.WARNING),
        (LITTLE_ROOM, FindingLevel.OK),
    ],
)
def test_room(free: int, level: FindingLevel) -> None:
    assert room_finding(free, PLACE).level is level


@pytest.mark.parametrize(
    ("free", "level"),
    [
        (LEAST_FILES - 1, FindingLevel.FAULT),
        (LEAST_FILES, FindingLevel.WARNING),
        (FEW_FILES, FindingLevel.OK),
        (None, FindingLevel.OK),
    ],
)
def test_files(free: int | None, level: FindingLevel) -> None:
    assert files_finding(free, PLACE).level is level


@pytest.mark.parametrize(
    ("kind", "level"),
    [
        ("ext4", FindingLevel.OK),
        ("overlay", FindingLevel.OK),
        ("tmpfs", FindingLevel.WARNING),
        ("nfs4", FindingLevel.FAULT),
        ("fuse.sshfs", FindingLevel.FAULT),
    ],
)
def test_kinds(kind: str, level: FindingLevel) -> None:
    finding = kind_finding(kind, PLACE)

    assert finding.level is level
    assert kind in finding.what


def test_missing_directory_is_checked_by_its_nearest_parent(tmp_path: Path) -> None:
    findings = check(store_in(tmp_path / "a" / "b").place())
    assert len(findings) == 3
    assert all(str(tmp_path) in finding.what for finding in findings)
    assert not (tmp_path / "a").exists()
