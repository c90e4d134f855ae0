"""The kill switch: while STATE_DIR/halted.json is there, no bot trades."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path

from pydantic import ValidationError

from execsvc.clock import iso, now
from execsvc.store.halted import Halted, one_line
from execsvc.store.sqlite import whole_file

FILE = "halted.json"


Signature = tuple[int, int, int, int]
"""Device, inode, size and time of the last change [ns] of a file."""


class HaltFile:
    """The halt of all trading, across restarts of the service.

    A file that cannot be read counts as a halt: if that is wrong, the only harm is that no bot starts.
    """

    name = FILE

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / FILE
        self.damage: str | None = None
        """The reason why the file could not be read, None when it could be read."""
        self._known: Signature | None = None
        """The signature of the file as it was read or written last."""
        self.current = self._read()
        """The halt in force, None when bots may trade."""

    def begin(self, reason: str | None) -> None:
        """Halt, from now on or with another reason. Raises LedgerFailed when it is not on the disk.

        The halt is in force all the same then, until the service restarts.
        """
        before = self.current
        since = iso(now()) if before is None else before.since
        if before is not None and reason is None and self.damage is None:
            reason = before.reason
        self.current = Halted(since=since, reason=one_line(reason or "by an operator"))
        self._write(self.current)
        self.damage = None

    def refresh(self) -> bool:
        """Take a halt that another process wrote; a halt in force stays until :meth:`end`.

        Returns True when the file was missing in a halt and was written again. A state directory
        that cannot be read changes nothing. Raises LedgerFailed when the file cannot be written.
        """
        try:
            found = _signature(self._path.lstat())
        except FileNotFoundError:
            found = None
        except OSError:
            return False
        if found is None and self.current is not None:
            self._write(self.current)
            return True
        if found is not None and found != self._known:
            self._take(found)
        return False

    def end(self) -> None:
        """Let bots trade again. Raises LedgerFailed, and then the halt stays in force."""
        whole_file.remove(self._path)
        self.current, self.damage, self._known = None, None, None

    def _write(self, halted: Halted) -> None:
        whole_file.replace(self._path, halted.model_dump_json().encode())
        self._known = None
        with suppress(OSError):
            self._known = _signature(self._path.lstat())

    def _take(self, found: Signature) -> None:
        """Read the file; one that cannot be read is read again at the next call of :meth:`refresh`."""
        self.damage = None
        read = self._read()
        damaged = bool(self.damage)
        self._known = None if damaged else found
        if read is not None and (self.current is None or not damaged):
            self.current = read

    def _read(self) -> Halted | None:
        try:
            return Halted.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except ValidationError:
            self.damage = "it is not JSON of a time and a reason"
        except OSError as error:
            self.damage = error.strerror or type(error).__name__
        return Halted(since=self._written_at(), reason=f"{FILE} cannot be read ({self.damage})")

    def _written_at(self) -> str:
        try:
            written = self._path.lstat().st_mtime
        except OSError:
            return iso(now())
        return iso(datetime.fromtimestamp(written, timezone.utc))


def _signature(status: os.stat_result) -> Signature:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
