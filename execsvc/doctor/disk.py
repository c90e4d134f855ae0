"""The disk that keeps the records: room, files, and safety of its file system."""

from __future__ import annotations

from execsvc.doctor.finding import Finding, fault, passed, warning
from execsvc.errors import LedgerFailed
from execsvc.store.place import RecordsPlace

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


def check(place: RecordsPlace) -> list[Finding]:
    """The findings about the disk that keeps the records, or will; none where they are not on a disk."""
    try:
        disk = place.disk()
    except LedgerFailed as error:
        return [fault(_CHECK, str(error), "repair the disk")]
    if disk is None:
        return []
    return [
        room_finding(disk.free, disk.place),
        files_finding(disk.files, disk.place),
        kind_finding(disk.kind, disk.place),
    ]


def room_finding(free: int, place: str) -> Finding:
    """The finding about the room; ``free`` is in bytes."""
    what = f"{free // MIB} MiB are free in {place}"
    do = "make room: a full disk prevents entries, and then records of exits"
    if free < LEAST_ROOM:
        return fault(_CHECK, what, do)
    return warning(_CHECK, what, do) if free < LITTLE_ROOM else passed(_CHECK, what)


def files_finding(free: int | None, place: str) -> Finding:
    """The finding about the number of files.

    ``free`` is the number of files that can still be made; None where there is no limit.
    """
    if free is None:
        return passed(_CHECK, f"files in {place} are not limited")
    what = f"{free} more files can be made in {place}"
    do = "delete small files on that disk: it runs out of inodes (df -i)"
    if free < LEAST_FILES:
        return fault(_CHECK, what, do)
    return warning(_CHECK, what, do) if free < FEW_FILES else passed(_CHECK, what)


def kind_finding(kind: str, place: str) -> Finding:
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
    return passed(_CHECK, f"{place} is on {kind}")
