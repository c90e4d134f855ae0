"""Locks between processes that the kernel releases when their holder dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from execsvc.store.sqlite import faults

SUPERVISOR_LOCK = "supervisor.lock"
"""The file of the state directory that a supervisor keeps locked."""


class FileLock:
    """An exclusive ``flock`` on a file of its own, which names the holder's pid."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def try_acquire(self) -> bool:
        """Take the lock if it is free. Raises LedgerFailed when the file cannot be opened."""
        try:
            if self._descriptor is None:
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
                self._descriptor = os.open(self._path, flags, 0o600)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            raise faults.failed(f"{self._path.name} cannot be locked", error) from error
        return True

    def is_locked(self) -> bool:
        """True while a process holds the lock. Raises LedgerFailed when the file cannot be opened.

        The check holds a shared lock for a moment, in which :meth:`try_acquire` finds it taken.
        """
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise faults.failed(f"{self._path.name} cannot be opened", error) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def name_holder(self) -> None:
        """Write the pid of this process into the file, for processes that wait."""
        self.label(str(os.getpid()))

    def label(self, text: str) -> None:
        """Write ``text`` into the file, for processes that wait. A full disk is no error."""
        if self._descriptor is not None:
            try:
                os.ftruncate(self._descriptor, 0)
                os.pwrite(self._descriptor, text.encode(errors="replace"), 0)
            except OSError:
                return  # the lock is held all the same; only its label is missing

    @property
    def descriptor(self) -> int | None:
        """The descriptor of the open file; a process that inherits it holds the lock as well."""
        return self._descriptor

    def holder(self) -> int | None:
        """The pid that the holder wrote, None when there is none."""
        text = self.read_label()
        return int(text) if text.isdigit() else None

    def read_label(self) -> str:
        """The text that the holder wrote. Raises LedgerFailed."""
        try:
            return self._path.read_text(errors="replace")
        except OSError as error:
            raise faults.failed(f"{self._path.name} cannot be read", error) from error

    def release(self) -> None:
        """Release the lock; the file stays open for the next time."""
        if self._descriptor is not None:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Release the lock and forget the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
