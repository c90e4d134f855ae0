"""The kept state of one bot, and the rows of its execution log, for readers."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from execsvc.model.bot import Binding
from execsvc.model.position import Position
from execsvc.model.result import Result
from execsvc.store.abandoned import Abandoned
from execsvc.store.tripped import Tripped


class LedgerState(BaseModel):
    """What a bot's ledger and its account's journal say of it."""

    model_config = ConfigDict(frozen=True)

    bot_id: str
    binding: Binding | None
    """What its open position was opened under, else what it ran under last."""
    position: Position
    unsettled: bool
    """An order of it is in flight, unsettled, or not yet booked in its ledger."""
    contested: int
    """How many of its orders wait for an operator's decision."""
    doubt: str | None = None
    """Why its position may not be its own any more, while that waits for an operator."""
    failing: bool
    """An attempt to liquidate has failed and the position is open."""
    result: Result | None = None
    """What was realised in the binding's mode and quote; None when nobody can tell."""
    daily_loss: Tripped | None = None
    """The guard that ended its day, on that day or a later one."""
    stop_loss: Tripped | None = None
    """The guard that keeps it from entering since its stop loss has closed a position, until its user
    has stopped it or it is released."""
    abandoned: list[Abandoned] = []
    """What an operator gave up within the last day."""

    @property
    def is_open(self) -> bool:
        """True unless the bot is flat for certain."""
        return self.unsettled or self.position.side is not None


class LogRow(BaseModel):
    """One row of a bot's execution log."""

    model_config = ConfigDict(frozen=True)

    seq: int
    at: str
    event: str
    text: str
    data: dict[str, Any]
