"""Interface of the place where a store keeps the records of a service, for an examination by people."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class DiskUsage(NamedTuple):
    """The disk of this machine that keeps the records, or will keep them."""

    place: str
    """The directory that was examined."""
    free: int
    """Bytes that the service can still write."""
    files: int | None
    """Count of files that can still be made; None where there is no limit."""
    kind: str
    """The type of the file system, as the kernel names it."""


class RecordsPlace(Protocol):
    """The place of the records: a directory, a database on another machine."""

    @property
    def name(self) -> str:
        """The place in words: a path, an address without secrets."""
        ...

    def exists(self) -> bool:
        """True once the place is there. Raises nothing."""
        ...

    def is_readable(self) -> bool:
        """True when the user of this process may read the records. Raises nothing."""
        ...

    def disk(self) -> DiskUsage | None:
        """The disk of this machine; None when the records are not on one. Raises LedgerFailed."""
        ...

    def not_owned_by(self, uid: int) -> list[str]:
        """The records of other users than ``uid``, which the service of that user cannot open, by name."""
        ...

    def record(self, name: str) -> str:
        """The record ``name`` of a bot or an account, as an operator finds it in this place."""
        ...
