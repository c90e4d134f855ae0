"""Disks that are full, and file systems that do not keep what they promise."""

from __future__ import annotations

from pathlib import Path

import pytest

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
from execsvc.store.sqlite.service.place import StateDirectory, kind_of, nearest

PLACE = "/var/lib/execsvc"
MOUNTS = [
    "22 1 254:0 / / rw,relatime - ext4 /dev/vda rw",
    "30 22 0:25 / /var rw,relatime shared:4 - xfs /dev/vdb rw",
    "31 30 0:26 / /var/lib/with\\040space rw - nfs4 server:/x rw",
    "32 22 0:27 / /var/library rw - tmpfs tmpfs rw",
]


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


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ("/etc", "ext4"),
        ("/var/lib/execsvc", "xfs"),
        ("/var/lib/with space", "nfs4"),
        ("/var/lib/with space/x", "nfs4"),
        ("/var/lib/with spaces", "xfs"),
        ("/var/library/x", "tmpfs"),
    ],
)
def test_the_deepest_mount_is_the_one(place: str, kind: str) -> None:
    assert kind_of(Path(place), MOUNTS) == kind


def test_a_later_mount_hides_an_earlier_one() -> None:
    again = "33 22 0:28 / /var rw - cifs //server/x rw"
    assert kind_of(Path(PLACE), [*MOUNTS, again]) == "cifs"


def test_a_directory_that_is_not_there_yet_is_judged_by_where_it_will_be(tmp_path: Path) -> None:
    assert nearest(tmp_path / "a" / "b") == tmp_path
    findings = look(StateDirectory(tmp_path / "a" / "b"))
    assert len(findings) == 3
    assert all(str(tmp_path) in finding.what for finding in findings)
    assert not (tmp_path / "a").exists()
