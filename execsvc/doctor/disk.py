"""The file system under the state directory: room, files, and safety of its kind."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from execsvc.doctor.finding import Finding, fault, warning, well

MIB = 1024 * 1024
LEAST_ROOM = 64 * MIB
LITTLE_ROOM = 512 * MIB
LEAST_FILES = 100
FEW_FILES = 2_000
NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "vboxsf", "prl_fs"}
)
VOLATILE = frozenset({"tmpfs", "ramfs"})
_CHECK = "disk"
_MOUNTS = Path("/proc/self/mountinfo")
_ESCAPES = (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\"))


def look(state_dir: Path) -> list[Finding]:
    """The findings about the disk that ``state_dir`` is on, or would be."""
    place = nearest(state_dir)
    try:
        room = os.statvfs(place)
        mounts = _MOUNTS.read_text(errors="surrogateescape").splitlines()
    except OSError as error:
        return [fault(_CHECK, f"{place} cannot be looked at: {error.strerror}", "mend the disk")]
    return [
        judge_room(room.f_bavail * room.f_frsize, place),
        judge_files(room.f_favail if room.f_files else None, place),
        judge_kind(kind_of(place.resolve(), mounts), place),
    ]


def nearest(path: Path) -> Path:
    """``path``, or the nearest directory above it that exists."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def judge_room(free: int, place: Path) -> Finding:
    """The finding about the room; ``free`` is in bytes."""
    what = f"{free // MIB} MiB are free in {place}"
    do = "make room: a full disk prevents entries, and then records of exits"
    if free < LEAST_ROOM:
        return fault(_CHECK, what, do)
    return warning(_CHECK, what, do) if free < LITTLE_ROOM else well(_CHECK, what)


def judge_files(free: int | None, place: Path) -> Finding:
    """The finding about the number of files.

    ``free`` is the number of files that can still be made; None where there is no limit.
    """
    if free is None:
        return well(_CHECK, f"files in {place} are not limited")
    what = f"{free} more files can be made in {place}"
    do = "delete small files on that disk: it runs out of inodes (df -i)"
    if free < LEAST_FILES:
        return fault(_CHECK, what, do)
    return warning(_CHECK, what, do) if free < FEW_FILES else well(_CHECK, what)


def judge_kind(kind: str, place: Path) -> Finding:
    """The finding about the type of the file system, ``kind``."""
    if kind in NETWORK or kind.startswith("fuse."):
        return fault(
            _CHECK,
            f"{place} is on {kind}: locks and fsync cannot be relied on there",
            "put EXECSVC_STATE_DIR on a local disk: two runners of one bot would sell twice",
        )
    if kind in VOLATILE:
        return warning(
            _CHECK,
            f"{place} is on {kind}: every position is forgotten when the machine restarts",
            "put EXECSVC_STATE_DIR on a disk",
        )
    return well(_CHECK, f"{place} is on {kind}")


def kind_of(place: Path, mounts: Iterable[str]) -> str:
    """The file system that ``place`` (absolute, no links) is on, by lines of mountinfo."""
    best, kind = -1, "an unknown file system"
    for line in mounts:
        fields, _, about = line.partition(" - ")
        mounted = Path(_unescaped(fields.split(" ")[4]))
        depth = len(mounted.parts)
        # The later of two mounts on one point hides the other.
        if depth >= best and (mounted == place or mounted in place.parents):
            best, kind = depth, about.split(" ")[0]
    return kind


def _unescaped(text: str) -> str:
    for escape, letter in _ESCAPES:
        text = text.replace(escape, letter)
    return text
