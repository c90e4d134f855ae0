"""What the bots are called, for the log: the supervisor says so with what it asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from execsvc.logs import bound

if TYPE_CHECKING:
    from loguru import Logger


class Names:
    """Ids and names by the name of the bot's records, as far as they were said."""

    def __init__(self, name_of: Callable[[str], str]) -> None:
        """``name_of`` an id is the name of the bot's records in the store."""
        self._name_of = name_of
        self._known: dict[str, tuple[str, str | None]] = {}

    def learn(self, bot_id: str, name: str | None) -> None:
        """``name`` is None where none is known, or where a name says no more than the id."""
        stem = self._name_of(bot_id)
        if name is not None or stem not in self._known:
            self._known[stem] = bot_id, name

    def log(self, bot_id: str) -> Logger:
        """Logs what is about this bot."""
        _, name = self._known.get(self._name_of(bot_id), (bot_id, None))
        return bound(bot_id=bot_id, bot_name=name)

    def log_of(self, stem: str) -> Logger:
        """Logs what is about the bot of this ledger; names none where ``stem`` is not a known one's."""
        bot_id, name = self._known.get(stem, (None, None))
        return bound(bot_id=bot_id, bot_name=name)
