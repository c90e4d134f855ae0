"""The names of the bots, for the log: the requests of the supervisor contain them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from execsvc.logs import bound

if TYPE_CHECKING:
    from loguru import Logger


class BotNames:
    """Ids and names by the name of the bot's records, as far as requests have named them."""

    def __init__(self, name_of: Callable[[str], str]) -> None:
        """Start with no names. ``name_of`` an id is the name of the bot's records in the store."""
        self._name_of = name_of
        self._known: dict[str, tuple[str, str | None]] = {}

    def learn(self, bot_id: str, name: str | None) -> None:
        """Take the name of a bot; None where none is known, or where it says no more than the id."""
        stem = self._name_of(bot_id)
        if name is not None or stem not in self._known:
            self._known[stem] = bot_id, name

    def log(self, bot_id: str) -> Logger:
        """A logger for messages about this bot."""
        _, name = self._known.get(self._name_of(bot_id), (bot_id, None))
        return bound(bot_id=bot_id, bot_name=name)

    def log_of(self, stem: str) -> Logger:
        """A logger for messages about the bot of this ledger; it names no bot for an unknown ``stem``."""
        bot_id, name = self._known.get(stem, (None, None))
        return bound(bot_id=bot_id, bot_name=name)
