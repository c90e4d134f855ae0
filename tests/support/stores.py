"""The store of a state directory, as tests of behaviour open it: by its protocols alone."""

from __future__ import annotations

from pathlib import Path

from execsvc.store.bot_store import BotStore
from execsvc.store.outbox import OutboxRow
from execsvc.store.sqlite.in_memory import InMemoryPause, InMemoryStore, Memory
from execsvc.store.sqlite.store import SqliteStore
from execsvc.store.store import BotRecordsStore, Store

__all__ = ["InMemoryPause", "open_bot", "store_in", "store_with_pause", "waiting"]


def store_in(state_dir: Path, runtime_dir: Path | None = None) -> Store:
    """The store of the service that has this state directory."""
    return SqliteStore(state_dir, runtime_dir or state_dir)


def store_with_pause(key_id: str, pause: InMemoryPause | None) -> BotRecordsStore:
    """A store in memory where the account has this pause; None: none yet."""
    return InMemoryStore(Memory(pauses={key_id: pause or InMemoryPause()}))


def open_bot(state_dir: Path, bot_id: str, *, reports: bool = False) -> BotStore:
    """The records of a bot, open, to be closed."""
    bot = store_in(state_dir).bot(bot_id, reports=reports)
    bot.open()
    return bot


def waiting(state_dir: Path, bot_id: str, most: int = 1000) -> list[OutboxRow]:
    """The first rows that wait in the outbox of a bot, as before the first delivery."""
    outboxes = store_in(state_dir).outboxes()
    rows, _ = outboxes.waiting(outboxes.name_of(bot_id), None, most)
    return rows
