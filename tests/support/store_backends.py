"""The kinds of store that the conformance suite runs against: another one is tried by a factory here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from support.claimed_memory import ClaimedInMemoryStore, ClaimedMemory
from support.shared_memory import MemoryClaims, SharedMemory

from execsvc.store.replicated.store import ReplicatedStore
from execsvc.store.sqlite.paths import COPIES
from execsvc.store.sqlite.store import SqliteStore
from execsvc.store.store import BotRecordsStore, ClaimedStore, Store


class ClaimsBackend(Protocol):
    """One kind of store: the records of services that contend for the accounts of a machine or cluster."""

    def service(self, name: str = "one") -> ClaimedStore:
        """The records of the contender ``name``, as another of its processes opens them.

        A contender is another service of the machine, or another host of a cluster: whether the bots of
        two contenders are the same is the store's own.
        """
        ...


class LosingBackend(ClaimsBackend, Protocol):
    """One kind of store where an account can be lost while processes of its owner still run."""

    def seize(self, key_id: str, name: str) -> None:
        """Let the service ``name`` have the account, as if the machine of its owner were dead."""
        ...


class Backend(ClaimsBackend, Protocol):
    """One kind of store that keeps all records of its services."""

    def service(self, name: str = "one") -> Store:
        """The records of the contender ``name``, as another of its processes opens them."""
        ...

    def apart(self) -> Store:
        """The records of a service that has nothing in common with :meth:`service`."""
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

    def apart(self) -> Store:
        """The files of another state directory."""
        return self.service("apart")


class InMemoryBackend:
    """The memory that all services share."""

    def __init__(self, folder: Path) -> None:
        self._memory = ClaimedMemory()
        self._services: dict[str, ClaimedInMemoryStore] = {}

    def service(self, name: str = "one") -> ClaimedInMemoryStore:
        """The service ``name``, all of whose processes are this one."""
        return self._services.setdefault(name, ClaimedInMemoryStore(self._memory))

    def seize(self, key_id: str, name: str) -> None:
        """Let the service ``name`` claim the account, as if the machine of its owner were dead."""
        self.service(name).claims().seize(key_id)


class ReplicatedBackend:
    """Hosts with a directory of copies each, on shared records in memory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.shared = SharedMemory()
        self._claims: dict[str, MemoryClaims] = {}

    def service(self, name: str = "one") -> ReplicatedStore:
        """The host ``name``, all of whose processes are this one."""
        state_dir = self._folder / f"state-{name}"
        state_dir.mkdir(mode=0o700, exist_ok=True)
        claims = self._claims.setdefault(name, MemoryClaims(self.shared))
        run_dir = self._folder / f"run-{name}"
        return ReplicatedStore(state_dir, run_dir, self.shared, claims, name)

    def copies(self, name: str) -> Path:
        """The directory of the copies of the host ``name``."""
        return self._folder / f"state-{name}" / COPIES

    def apart(self) -> ReplicatedStore:
        """A host with shared records of its own."""
        folder = self._folder / "apart"
        folder.mkdir()
        return ReplicatedBackend(folder).service()

    def seize(self, key_id: str, name: str) -> None:
        """Let the host ``name`` claim the account, as if its owner were dead."""
        self.service(name)
        self._claims[name].seize(key_id)


BACKENDS: dict[str, Callable[[Path], Backend]] = {
    "sqlite": SqliteBackend,
    "replicated": ReplicatedBackend,
}
"""By name, the factory of each kind of store that keeps all records of a service."""


LOSING: dict[str, Callable[[Path], LosingBackend]] = {
    "in memory": InMemoryBackend,
    "replicated": ReplicatedBackend,
}
"""By name, the factory of each kind of store where an account can be lost."""
CLAIMS: dict[str, Callable[[Path], ClaimsBackend]] = {**BACKENDS, **LOSING}
"""By name, the factory of each kind of store that keeps the records of bots and accounts."""


def new_store(kind: str, folder: Path) -> BotRecordsStore:
    """The records of a service that never ran, in a store of this kind."""
    return CLAIMS[kind](folder).service()
