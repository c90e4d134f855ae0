"""A position of an account that may be from an older state of it."""

from __future__ import annotations

import shlex
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from execsvc.clock import now
from execsvc.model.comparison import Discrepancy

ACCOUNT = ""
"""The subject that stands for the account as a whole, for no bot has an empty id."""

MOVED = "the state directory was last used on another machine"
"""The detail of a doubt that :func:`moved` makes."""


class Doubt(BaseModel):
    """A position that the account may not hold any more, and the reason."""

    model_config = ConfigDict(frozen=True)

    bot_id: str
    symbol: str
    discrepancy: Discrepancy
    at: datetime
    detail: str
    order_at: datetime | None = None
    """The time at which the newest order that BotService knows and the ledger lacks was sent."""

    @property
    def text(self) -> str:
        """The doubt in words, for the log, ``/health`` and the operator."""
        bot = shlex.quote(self.bot_id)
        return (
            f"its position in {self.symbol} is contested: {self.detail}; nothing of its account "
            f"trades until: execsvc release {bot} (the coins are gone), or execsvc release {bot} "
            f"--keep (they are the bot's)"
        )


def moved(bot_id: str, symbol: str) -> Doubt:
    """The doubt about a position that was opened on another machine."""
    return Doubt(
        bot_id=bot_id, symbol=symbol, discrepancy=Discrepancy.CONTESTED, at=now(), detail=MOVED
    )
