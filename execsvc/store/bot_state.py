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
    """The state of a bot by its ledger and by the journal of its account."""

    model_config = ConfigDict(frozen=True)

    bot_id: str
    binding: Binding | None
    """The binding under which its open position was opened, else the binding of its last run."""
    position: Position
    unsettled: bool
    """True while an order of the bot is in flight, unsettled, or not yet booked in its ledger."""
    contested: int
    """Count of its orders that wait for the decision of an operator."""
    doubt: str | None = None
    """The reason why its position may not be its own any more, until an operator has decided."""
    failing: bool
    """True when an attempt to liquidate has failed and the position is open."""
    result: Result | None = None
    """The realised result in the binding's mode and quote; None when it cannot be read."""
    daily_loss: Tripped | None = None
    """The guard that ended its day, on that day or a later one."""
    stop_loss: Tripped | None = None
    """The guard that keeps it from entering since its stop loss has closed a position, until its user
    has stopped it or it is released."""
    abandoned: list[Abandoned] = []
    """The positions that an operator gave up within the last day."""

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
