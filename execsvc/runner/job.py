"""The task of a forked child, for one bot."""

from __future__ import annotations

from enum import Enum

from pydantic import BaseModel, ConfigDict, model_validator

from execsvc.model.bot import BotSpec


class Task(str, Enum):
    """The tasks that a bot's process may have."""

    TRADE = "TRADE"
    """Run the strategy until a stop."""
    LIQUIDATE = "LIQUIDATE"
    """Close every position that the ledger says is open, then end; no strategy runs."""
    ABANDON = "ABANDON"
    """Book every position that the ledger says is open as abandoned, then end; the exchange is not
    asked.
    """
    CHECK = "CHECK"
    """Check whether strategy and parameters are accepted, then end; touches no ledger."""


class Job(BaseModel):
    """One task for one bot. LIQUIDATE and ABANDON work by the ledger alone and need no spec."""

    model_config = ConfigDict(frozen=True)

    bot_id: str
    name: str = ""
    task: Task
    spec: BotSpec | None = None
    booting: bool = False
    """True when BotService waits for the message that the bot has started."""
    start: str = ""
    """A name of the start of the service; each start compares ledgers and accounts once.

    Empty: no comparison.
    """

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Job:
        if self.task in (Task.TRADE, Task.CHECK) and self.spec is None:
            raise ValueError(f"{self.task.value} needs a spec")
        return self
