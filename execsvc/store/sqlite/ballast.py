"""Room on the disk that is kept so that sales can be recorded when the disk is full."""

from __future__ import annotations

import os
from pathlib import Path

from loguru import logger

NAME = "ballast"
SIZE = 8 * 1024 * 1024
"""Bytes: the records of thousands of orders."""
_FULL = 1024 * 1024
"""Free bytes below which a disk counts as full."""


class Ballast:
    """A file in the state directory that is given up when the disk is full and a bot must sell."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / NAME

    def keep(self) -> None:
        """Make the file, if it is not there and the disk has room for several of it."""
        if self._path.exists() or self._free() < 4 * SIZE:
            return
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, SIZE)
            finally:
                os.close(descriptor)
        except OSError as error:
            logger.bind(event="ballast_missing").warning(
                "no room could be kept on the disk: {}", error
            )

    def give_up_if_full(self) -> None:
        """Delete the file when the disk is full, so that sales can be recorded."""
        if self._path.exists() and self._free() < _FULL:
            self._path.unlink(missing_ok=True)
            logger.bind(event="disk_full").critical(
                "the disk of {} is full: {} MiB kept for this are given up to record sells",
                self._path.parent,
                SIZE >> 20,
            )

    def _free(self) -> int:
        """Bytes that this process may write, 0 where that is unknown."""
        try:
            found = os.statvfs(self._path.parent)
        except OSError:
            return 0
        return found.f_bavail * found.f_frsize
