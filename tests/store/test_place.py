"""The file system that a state directory is on, by the kernel's list of mounts."""

from __future__ import annotations

from pathlib import Path

import pytest

from execsvc.store.sqlite.service.place import kind_of, nearest

PLACE = "/var/lib/execsvc"
MOUNTS = [
    "22 1 254:0 / / rw,relatime - ext4 /dev/vda rw",
    "30 22 0:25 / /var rw,relatime shared:4 - xfs /dev/vdb rw",
    "31 30 0:26 / /var/lib/with\\040space rw - nfs4 server:/x rw",
    "32 22 0:27 / /var/library rw - tmpfs tmpfs rw",
]


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
def test_kind_of_a_path_is_that_of_its_deepest_mount(place: str, kind: str) -> None:
    assert kind_of(Path(place), MOUNTS) == kind


def test_kind_of_a_path_mounted_twice_is_that_of_the_later_mount() -> None:
    again = "33 22 0:28 / /var rw - cifs //server/x rw"
    assert kind_of(Path(PLACE), [*MOUNTS, again]) == "cifs"


def test_nearest_of_a_path_that_is_not_there_is_the_directory_above(tmp_path: Path) -> None:
    assert nearest(tmp_path / "a" / "b") == tmp_path
