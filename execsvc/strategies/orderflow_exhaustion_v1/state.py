"""What the strategy keeps from tick to tick and across restarts, and what its last tick saw."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import NamedTuple

from pydantic import BaseModel

from execsvc.strategies.diagnostics import Diagnostics
from execsvc.strategies.orderflow_exhaustion_v1.exits import Held
from execsvc.strategies.orderflow_exhaustion_v1.market_view import NO_FLOW, Memory, View
from execsvc.strategies.orderflow_exhaustion_v1.pressure import Pressure, Signals


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
    """What one tick saw of the market, and what it decided."""

    view: View | None = None
    signals: Signals | None = None
    """Judged in FLAT and WAIT_CONFIRM only."""
    event: str | None = None
    """What the tick decided: ``pressure``, ``replaced``, ``absorbed``, ``timed_out``."""
    pressure: Pressure | None = None
    """The pressure that is waited on by then; of ``replaced`` the new one."""
    refused: str | None = None
    """Why the entry of ``absorbed`` was refused."""

    def diagnostics(self) -> Diagnostics:
        """The same, as any strategy reports a tick."""
        flow = NO_FLOW if self.view is None else self.view.window.flow()
        idle = self.event is None and self.pressure is None and self.signals is not None
        return Diagnostics(
            judged=idle or self.event == "pressure",
            missing=self.signals.first_missing or "none" if idle and self.signals else None,
            signal=self._signal(),
            ended=self.event if self.event in _ENDS else None,
            refused=self.refused,
            window_cut=self.view is not None and self.view.window.cut,
            bought=flow.buys,
            sold=flow.sells,
        )

    def _signal(self) -> str | None:
        """Side and kinds of the pressure that began at this tick: ``BUY imbalance+jump``."""
        if self.event not in _SIGNALS or self.signals is None or self.pressure is None:
            return None
        kinds = ["imbalance"]
        kinds += ["spread"] if self.signals.expanded else []
        kinds += ["jump"] if self.signals.jumped else []
        return f"{self.pressure.side.name} {'+'.join(kinds)}"


_SIGNALS = ("pressure", "replaced")
_ENDS = ("absorbed", "timed_out", "replaced")
