"""The file beside a copy that has the write which was sent last, until its successor.

The file outlives a process that ends between the answer of the shared records and its own commit. Whether
the write is in the copy is said by the copy: ``copy_of.last_write``.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

from execsvc.errors import LedgerFailed
from execsvc.store.postgresql.remote import RowImage, Write
from execsvc.store.sqlite import faults

SUFFIX = ".sent"
_ID_LENGTH = 32


class SentWrite:
    """One write, which is replaced by the next. To be changed by the holder of the copy's write lock.

    The file need not survive a loss of power, as each copy is made anew then.
    """

    def __init__(self, copy: Path) -> None:
        self._path = copy.with_suffix(SUFFIX)
        self._descriptor: int | None = None

    def write_id(self) -> str:
        """The id of the write; empty when there is none. Raises LedgerFailed."""
        try:
            return os.pread(self._open(), _ID_LENGTH, 0).decode(errors="replace")
        except OSError as error:
            raise faults.failed(f"{self._path.name} cannot be read", error) from error

    def read(self) -> Write:
        """The write. Raises LedgerFailed, also for a file that a process did not write to its end."""
        try:
            content = os.pread(self._open(), os.fstat(self._open()).st_size, 0)
            write_id, kind, owner, key_id, fence, rows = json.loads(content[_ID_LENGTH:])
            images = tuple(_image(*row) for row in rows)
            return Write(write_id, kind, owner, key_id, fence, images)
        except OSError as error:
            raise faults.failed(f"{self._path.name} cannot be read", error) from error
        except (ValueError, TypeError) as error:
            raise LedgerFailed(f"{self._path.name} is not whole") from error

    def put(self, write: Write) -> None:
        """Replace the write. Raises LedgerFailed."""
        content = write.write_id.encode() + json.dumps(write).encode()
        try:
            os.ftruncate(self._open(), 0)
            os.pwrite(self._open(), content, 0)
        except OSError as error:
            raise faults.failed(f"{self._path.name} cannot be written", error) from error

    def clear(self) -> None:
        """Forget the write. Raises LedgerFailed."""
        try:
            os.ftruncate(self._open(), 0)
        except OSError as error:
            raise faults.failed(f"{self._path.name} cannot be written", error) from error

    def close(self) -> None:
        """Close the file."""
        if self._descriptor is not None:
            with suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = None

    def _open(self) -> int:
        if self._descriptor is None:
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            self._descriptor = os.open(self._path, flags, 0o600)
        return self._descriptor


def _image(table: str, key: list[object], row: list[object] | None) -> RowImage:
    return RowImage(table, tuple(key), None if row is None else tuple(row))  # type: ignore[arg-type]
