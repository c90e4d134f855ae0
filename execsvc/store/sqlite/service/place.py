"""The state directory and the file system that it is on, for an examination by people."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from execsvc.errors import LedgerFailed
from execsvc.store.place import DiskUsage

_MOUNTS = Path("/proc/self/mountinfo")
_ESCAPES = (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\"))


class StateDirectory:
    """The directory of the files of a service."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def name(self) -> str:
        """The path."""
        return str(self._path)

    def exists(self) -> bool:
        """True once the directory is there."""
        return self._path.exists()

    def is_readable(self) -> bool:
        """True when the user of this process may list the directory."""
        return os.access(self._path, os.R_OK | os.X_OK)

    def disk(self) -> DiskUsage:
        """The file system that the directory is on, or would be. Raises LedgerFailed."""
        place = nearest(self._path)
        try:
            room = os.statvfs(place)
            mounts = _MOUNTS.read_text(errors="surrogateescape").splitlines()
        except OSError as error:
            raise LedgerFailed(f"{place} cannot be examined: {error.strerror}") from error
        return DiskUsage(
            str(place),
            room.f_bavail * room.f_frsize,
            room.f_favail if room.f_files else None,
            kind_of(place.resolve(), mounts),
        )

    def not_owned_by(self, uid: int) -> list[str]:
        """The files and directories of other users, by their paths below the state directory."""
        found = []
        for folder, folders, files in os.walk(self._path):
            for name in (*folders, *files):
                path = Path(folder, name)
                try:
                    if path.lstat().st_uid != uid:
                        found.append(str(path.relative_to(self._path)))
                except OSError:
                    continue  # removed meanwhile by the service
        return sorted(found)

    def record(self, name: str) -> str:
        """The name of the file of a ledger or a journal; ``name`` is its stem, which a folder may precede."""
        return f"{name.rsplit('/', maxsplit=1)[-1]}.db"


def nearest(path: Path) -> Path:
    """``path``, or the nearest directory above it that exists."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


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
