"""What a forked child is told to do for one bot."""

from __future__ import annotations

from enum import Enum

from pydantic import BaseModel, ConfigDict, model_validator

from execsvc.model.bot import BotSpec


class Task(str, Enum):
    """What the process is for."""

    TRADE = "TRADE"
    """Run the strategy until told to stop."""
    LIQUIDATE = "LIQUIDATE"
    """Close what the ledger says is open, then end; no strategy runs."""
    ABANDON = "ABANDON"
    """Book what the ledger says is open as abandoned, then end; the exchange is not asked."""
    CHECK = "CHECK"
    """Say whether strategy and parameters are accepted, then end; touches no ledger."""


class Job(BaseModel):
    """One task for one bot. LIQUIDATE and ABANDON work by the ledger alone and need no spec."""

    model_config = ConfigDict(frozen=True)

    bot_id: str
    name: str = ""
    task: Task
    spec: BotSpec | None = None
    booting: bool = False
    """BotService waits to be told that the bot has started."""
    start: str = ""
    """Names the start of the service; each compares ledgers and accounts once. Empty: none does."""

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Job:
        if self.task in (Task.TRADE, Task.CHECK) and self.spec is None:
            raise ValueError(f"{self.task.value} needs a spec")
        return self
