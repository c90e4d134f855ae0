"""The one place that chooses the kind of store: SQLite files in the state directory."""

from __future__ import annotations

from execsvc.settings import Settings
from execsvc.store.sqlite.store import SqliteStore
from execsvc.store.store import BotRecordsStore, Store


def open_store(settings: Settings) -> Store:
    """The store of the service that ``settings`` describe; nothing is made before its first use."""
    return SqliteStore(settings.state_dir, settings.runtime_dir)


def store_in_memory() -> BotRecordsStore:
    """A store in memory: empty at first, and gone with the process. Only a replay imports it."""
    from execsvc.store.sqlite.in_memory import InMemoryStore

    return InMemoryStore()
