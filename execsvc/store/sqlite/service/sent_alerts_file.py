"""The file of alerts that were sent: a document that is replaced as a whole, and may be lost."""

from __future__ import annotations

import os
from pathlib import Path

from execsvc.store.sqlite import faults

FILE = "alerts.json"


class SentAlertsFile:
    """One document in ``state_dir``; no other record depends on it, so a write does not wait for the disk."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / FILE

    @property
    def place(self) -> str:
        """The path of the file."""
        return str(self._path)

    @property
    def name(self) -> str:
        """The name of the file."""
        return self._path.name

    def read(self) -> bytes | None:
        """The document as it was written last; None before the first. Raises LedgerFailed."""
        try:
            return self._path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise faults.failed(f"{self._path} cannot be read", error) from error

    def write(self, content: bytes) -> None:
        """Replace the document. Raises LedgerFailed."""
        draft = self._path.with_suffix(".new")
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            draft.replace(self._path)
        except OSError as error:
            raise faults.failed(f"{self._path.name} cannot be written", error) from error
