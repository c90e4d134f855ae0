"""A position that an operator has given up, as the store of the bot keeps it."""

from __future__ import annotations

import shlex
from datetime import datetime, timedelta
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from execsvc.clock import iso
from execsvc.model.bot import Mode
from execsvc.model.market import Symbol, plain

SHOWN_FOR = timedelta(days=1)
"""The time for which ``/status`` shows an abandoned position."""


def command_to_abandon(bot_id: str) -> str:
    """The command with which an operator gives up the position of ``bot_id``."""
    return f"execsvc release {shlex.quote(bot_id)} --abandon"


class Abandoned(BaseModel):
    """The part of one position that was given up, in base units."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    mode: Mode
    key_id: str
    symbol: str
    tracked: Decimal
    sold_short: Decimal

    def shown(self) -> dict[str, str]:
        """The record as ``/status`` shows it."""
        return {
            "at": iso(self.at),
            "mode": self.mode.value,
            "key_id": self.key_id,
            "symbol": self.symbol,
            "tracked": plain(self.tracked),
            "sold_short": plain(self.sold_short),
        }

    @property
    def text(self) -> str:
        """The record in words, for the log, alerts and the operator."""
        base = Symbol.parse(self.symbol).base
        parts = [f"{plain(self.tracked)} {base}"] if self.tracked else []
        parts += [f"{plain(self.sold_short)} {base} sold short"] if self.sold_short else []
        return (
            f"{' and '.join(parts)} ({self.symbol}, key {self.key_id}) booked as abandoned by an "
            f"operator: no longer this service's to close"
        )


def is_recent(one: Abandoned, moment: datetime) -> bool:
    """True within a day after ``one``; a clock that was set back shows it longer, not shorter."""
    return moment - one.at < SHOWN_FOR
