"""What the strategy keeps from tick to tick and across restarts, and what its last tick saw."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import NamedTuple

from pydantic import BaseModel

from execsvc.strategies.orderflow.exits import Held
from execsvc.strategies.orderflow.market_view import Memory, View
from execsvc.strategies.orderflow.pressure import Pressure, Signals


class Phase(str, Enum):
    """Where the strategy stands."""

    FLAT = "FLAT"
    """Looks for pressure."""
    WAIT_CONFIRM = "WAIT_CONFIRM"
    """Has seen pressure, waits for its absorption."""
    IN_POSITION = "IN_POSITION"
    """Has faded it, waits for an exit rule."""
    COOLDOWN = "COOLDOWN"
    """Looks at nothing for a while."""


class OrderflowState(BaseModel):
    """What survives a restart. Each phase has what it needs, the others' members are None."""

    phase: Phase = Phase.FLAT
    memory: Memory = Memory()
    pressure: Pressure | None = None
    absorbed: int = 0
    held: Held | None = None
    cooldown_from: datetime | None = None
    cut_windows: int = 0
    """On how many ticks ``trades_limit`` may have cut the window short."""
    stamps_ahead: bool = False
    """The last book or its trades had a stamp that is not believed; that is said once."""


class Seen(NamedTuple):
    """What the last tick saw and what became of it, for whoever watches (replay does)."""

    view: View | None = None
    signals: Signals | None = None
    """Judged in FLAT and WAIT_CONFIRM only."""
    event: str | None = None
    """What the tick decided: ``pressure``, ``replaced``, ``absorbed``, ``timed_out``."""
    pressure: Pressure | None = None
    """The pressure that is waited on by then; of ``replaced`` the new one."""
