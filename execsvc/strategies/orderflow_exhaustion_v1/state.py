"""The strategy's state, kept from tick to tick and across restarts, and its report of the last
tick.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import NamedTuple

from pydantic import BaseModel

from execsvc.strategies.diagnostics import Diagnostics
from execsvc.strategies.orderflow_exhaustion_v1.dealt_trades import NO_FLOW, Flow
from execsvc.strategies.orderflow_exhaustion_v1.exits import Held
from execsvc.strategies.orderflow_exhaustion_v1.market_view import MarketMemory, View
from execsvc.strategies.orderflow_exhaustion_v1.pressure import Pressure, PressureSignals


class Phase(str, Enum):
    """The phases of the strategy."""

    FLAT = "FLAT"
    """Waits for pressure to begin."""
    WAIT_CONFIRM = "WAIT_CONFIRM"
    """Waits for the absorption of a pressure."""
    IN_POSITION = "IN_POSITION"
    """Waits for an exit rule, after an entry."""
    COOLDOWN = "COOLDOWN"
    """Waits until the cool-down is over."""


class OrderflowState(BaseModel):
    """The state that survives a restart. Members of other phases than the present one are None."""

    phase: Phase = Phase.FLAT
    memory: MarketMemory = MarketMemory()
    pressure: Pressure | None = None
    absorbed: int = 0
    held: Held | None = None
    cooldown_from: datetime | None = None
    cut_windows: int = 0
    """The number of ticks on which ``trades_limit`` may have cut the window short."""
    stamps_ahead: bool = False
    """True while the last book or its trades had a stamp that is not believed; logged once."""


class TickDiagnostics(NamedTuple):
    """The view of one tick on the market, and its decision."""

    view: View | None = None
    signals: PressureSignals | None = None
    """Judged in FLAT and WAIT_CONFIRM only."""
    event: str | None = None
    """The decision of the tick: ``pressure``, ``replaced``, ``absorbed``, ``timed_out``."""
    pressure: Pressure | None = None
    """The pressure that is waited on by then; of ``replaced`` the new one."""
    refused: str | None = None
    """The reason why the entry of ``absorbed`` was refused."""

    def diagnostics(self) -> Diagnostics:
        """The diagnostics of the tick, in the form of any strategy."""
        flow = self._flow()
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

    def _flow(self) -> Flow:
        """The taker volume of the window; summed anew only where the tick did not judge by it."""
        if self.signals is not None:
            return self.signals.flow
        return NO_FLOW if self.view is None else self.view.window.flow()

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
