"""The kinds of store that the conformance suite runs against: another one is tried by a factory here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from execsvc.store.opening import store_in_memory
from execsvc.store.sqlite.store import SqliteStore
from execsvc.store.store import BotRecordsStore, Store


class Backend(Protocol):
    """One kind of store: the records of services that share the accounts of one machine or cluster."""

    def service(self, name: str = "one") -> Store:
        """The records of the service ``name``, as another process of that service opens them."""
        ...


class SqliteBackend:
    """A state directory for each service in ``folder``, and one folder for the locks of accounts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "lock" / "execsvc").mkdir(parents=True)

    def service(self, name: str = "one") -> Store:
        """The files of the service ``name``, in a directory that its start has made."""
        state_dir = self._folder / f"state-{name}"
        state_dir.mkdir(mode=0o700, exist_ok=True)
        return SqliteStore(state_dir, self._folder / f"run-{name}")


BACKENDS: dict[str, Callable[[Path], Backend]] = {"sqlite": SqliteBackend}
"""By name, the factory of each kind of store that keeps all records of a service."""


def _sqlite_bots(folder: Path) -> BotRecordsStore:
    return SqliteBackend(folder).service()


def _bots_in_memory(_folder: Path) -> BotRecordsStore:
    return store_in_memory()


RECORDS: dict[str, Callable[[Path], BotRecordsStore]] = {
    "sqlite": _sqlite_bots,
    "in memory": _bots_in_memory,
}
"""By name, the factory of each kind of store that keeps records of bots and accounts."""
