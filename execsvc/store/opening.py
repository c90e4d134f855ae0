"""The one place that chooses the kind of store: SQLite files in the state directory."""

from __future__ import annotations

from execsvc.errors import ConfigRefused
from execsvc.settings import Settings
from execsvc.store.sqlite.store import SqliteStore
from execsvc.store.store import BotRecordsStore, Store


def open_store(settings: Settings) -> Store:
    """The store of the service that ``settings`` describe; nothing is made before its first use.

    Raises ConfigRefused for a store that hosts share: two services that took no notice of each other there
    would both trade the same accounts.
    """
    if settings.store_url is not None:
        raise ConfigRefused("EXECSVC_STORE_URL: only execsvc store check and store init use it yet")
    return SqliteStore(settings.state_dir, settings.runtime_dir)


def store_in_memory() -> BotRecordsStore:
    """A store in memory: empty at first, and gone with the process. Only a replay imports it."""
    from execsvc.store.sqlite.in_memory import InMemoryStore

    return InMemoryStore()
