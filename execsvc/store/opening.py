"""The one place that chooses the kind of store: files in the state directory, or records that hosts share."""

from __future__ import annotations

import socket
from functools import cache
from pathlib import Path

from execsvc.settings import Settings
from execsvc.store.lease_page import NAME, LeasePage
from execsvc.store.page_claims import PageClaims
from execsvc.store.sqlite.store import SqliteStore
from execsvc.store.sqlite.taken_over import refuse_files_not_taken, refuse_old_files
from execsvc.store.store import BotRecordsStore, Store

BROKER_SOCKET = "store.sock"
"""The name of the broker's socket in the runtime directory."""


def open_store(settings: Settings) -> Store:
    """The store of the service that ``settings`` describe; nothing is made before its first use.

    Raises ConfigRefused for files whose records were taken over into PostgreSQL.
    """
    if settings.store_url is None:
        refuse_old_files(settings.state_dir)
        return SqliteStore(settings.state_dir, settings.runtime_dir)
    return _shared_store(settings)


def refuse_records_not_taken(settings: Settings) -> None:
    """Raise ConfigRefused where hosts share a store and this one has positions that the store never got."""
    if settings.store_url is not None:
        refuse_files_not_taken(settings.state_dir)


def host_id(settings: Settings) -> str:
    """The name of this host among those that share a store."""
    return settings.host_id or socket.gethostname()


def lease_page(settings: Settings) -> LeasePage:
    """The page with the lease of this host: one object for all stores of a process and its forks."""
    return _page(settings.runtime_dir / NAME)


def store_in_memory() -> BotRecordsStore:
    """A store in memory: empty at first, and gone with the process. Only a replay imports it."""
    from execsvc.store.sqlite.in_memory import InMemoryStore

    return InMemoryStore()


@cache
def _page(path: Path) -> LeasePage:
    return LeasePage(path)


def _shared_store(settings: Settings) -> Store:
    # Imported only where hosts share a store: the modules would take memory of each bot.
    from execsvc.store.postgresql.client import BrokerClient
    from execsvc.store.replicated.store import ReplicatedStore

    name = host_id(settings)
    broker = BrokerClient(settings.runtime_dir / BROKER_SOCKET)
    claims = PageClaims(lease_page(settings), name)
    return ReplicatedStore(settings.state_dir, settings.runtime_dir, broker, claims, name)
