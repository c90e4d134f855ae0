"""Small files that are replaced as a whole: a power loss leaves the old content or the new one."""

from __future__ import annotations

import os
from pathlib import Path

from execsvc.store.sqlite import faults


def replace(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path``; it is on the disk when this returns. Raises LedgerFailed."""
    draft = path.with_suffix(".new")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        draft.replace(path)
        _sync_directory(path.parent)
    except OSError as error:
        raise faults.failed(f"{path.name} cannot be written", error) from error


def remove(path: Path) -> None:
    """Delete ``path``, if it is there; its absence is on the disk when this returns.

    Raises LedgerFailed.
    """
    try:
        path.unlink(missing_ok=True)
        _sync_directory(path.parent)
    except OSError as error:
        raise faults.failed(f"{path.name} cannot be removed", error) from error


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
