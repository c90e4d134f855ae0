"""The draft of a changed bot, while a fact about it is handled."""

from __future__ import annotations

from execsvc.events import EventName
from execsvc.supervisor.bots.bot import Bot, Record
from execsvc.supervisor.bots.effects import Effect, WriteLog
from execsvc.supervisor.bots.facts import Circumstances
from execsvc.supervisor.bots.states import State


class Draft:
    """A bot under change, and the effects so far. ``bot`` is always the bot with all changes so far."""

    def __init__(self, bot: Bot, at: Circumstances) -> None:
        self.bot = bot
        self.at = at
        self.effects: list[Effect] = []

    def put(self, *records: Record) -> None:
        """Replace the records of the kinds of ``records`` by these."""
        self.bot = self.bot.having(*records)

    def become(self, state: State) -> None:
        """Enter ``state``. Raises ValueError where no transition leads there."""
        self.bot = self.bot.entering(state, self.at.now)

    def do(self, *effects: Effect) -> None:
        """Have ``effects`` carried out, after those before."""
        self.effects.extend(effects)

    def log(self, level: str, event: EventName, text: str, *, pid: int | None = None) -> None:
        """Have a line written to the log."""
        self.effects.append(WriteLog(level, event, text, pid))
