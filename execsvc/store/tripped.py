"""A guard that keeps a bot from entering, as the store keeps it for the next process."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from execsvc.clock import iso

DAILY_LOSS = "daily_loss"
"""A guard that concerns a bot without a process as well: no more entries on this UTC day."""


STOP_LOSS = "stop_loss"
"""Another such guard: entries wait until the bot is stopped and started, or released."""


class Tripped(NamedTuple):
    """A guard that keeps the bot from entering; ``bound`` is the limit at which it tripped."""

    guard: str
    bound: str
    since: datetime
    detail: str

    def shown(self) -> dict[str, str]:
        """The guard as ``/status`` shows it."""
        return {"guard": self.guard, "since": iso(self.since), "detail": self.detail}
