"""A guard that keeps a bot from entering, as it is kept for the next process."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from execsvc.clock import iso

DAILY_LOSS = "daily_loss"
"""A guard that says something of a bot without a process as well: its day is over."""


STOP_LOSS = "stop_loss"
"""Another one: entries wait until the bot is stopped and started, or released."""


class Tripped(NamedTuple):
    """A guard that keeps the bot from entering; ``bound`` is the limit that it tripped at."""

    guard: str
    bound: str
    since: datetime
    detail: str

    def shown(self) -> dict[str, str]:
        """As ``/status`` shows it."""
        return {"guard": self.guard, "since": iso(self.since), "detail": self.detail}
