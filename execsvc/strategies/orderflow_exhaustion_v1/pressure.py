"""Pressure: takers trade one way, hard enough that the book gives way.

One-sided taker volume is the *trade imbalance* of Cont, Kukanov and Stoikov (2014). A spread that
widens while it lasts is what Glosten and Milgrom, "Bid, Ask and Transaction Prices in a Specialist
Market with Heterogeneously Informed Traders" (Journal of Financial Economics 14, 1985), expect of
makers who fear to trade against better informed takers. The jump of the mid is the *sweep*: resting
orders are taken level by level faster than they are put back.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from execsvc.model.order import Side
from execsvc.strategies.orderflow_exhaustion_v1.dealt_trades import NO_FLOW, Flow
from execsvc.strategies.orderflow_exhaustion_v1.market_view import View, opposite
from execsvc.strategies.orderflow_exhaustion_v1.params import OrderflowParams

Missing = Literal["volume", "imbalance", "spread", "jump"]


class Pressure(BaseModel):
    """Pressure as it is kept until it is absorbed, replaced, or times out.

    ``calm_spread`` is the average that its spread was judged against, ``extreme`` the price that it
    reached: best ask of BUY pressure, best bid of SELL; both in quote per base.
    """

    model_config = ConfigDict(frozen=True)

    side: Side
    at: datetime
    exchange_time: int
    calm_spread: Decimal
    extreme: Decimal


class PressureSignals(NamedTuple):
    """The signals of pressure in one tick. ``side`` is that of the imbalance, if any."""

    enough_volume: bool
    side: Side | None
    expanded: bool
    jumped: bool
    flow: Flow = NO_FLOW
    """The taker volume of the window, by which the tick was judged."""

    @property
    def held(self) -> int:
        """The number of signals among imbalance, spread and jump that hold."""
        return (self.side is not None) + self.expanded + self.jumped

    @property
    def first_missing(self) -> Missing | None:
        """The first condition that the tick lacked for a pressure in all three ways."""
        if not self.enough_volume:
            return "volume"
        if self.side is None:
            return "imbalance"
        if not self.expanded:
            return "spread"
        return None if self.jumped else "jump"


def signals(view: View, params: OrderflowParams) -> PressureSignals:
    """Judge one tick."""
    flow = view.window.flow()
    enough = flow.total > 0 and flow.total >= params.min_total_quote_volume
    side = None
    if enough:
        for one in Side:
            if flow.of(one) >= params.delta_ratio_threshold * flow.of(opposite(one)):
                side = one
    expanded = (
        view.average is not None
        and view.spread >= params.spread_expand_ratio_threshold * view.average
    )
    jumped = side is not None and _jumped(view, side, params)
    return PressureSignals(enough, side, expanded, jumped, flow)


def pressure(view: View, seen: PressureSignals, params: OrderflowParams) -> Pressure | None:
    """The pressure that a tick shows; None when it shows none."""
    if seen.side is None or seen.held < params.pressure_signals_required:
        return None
    assert view.exchange_time is not None, "there is no window without it"
    return Pressure(
        side=seen.side,
        at=view.now,
        exchange_time=view.exchange_time,
        calm_spread=view.spread if view.average is None else view.average,
        extreme=view.worst(seen.side),
    )


def _jumped(view: View, side: Side, params: OrderflowParams) -> bool:
    if view.last_mid is None or not view.last_is_recent:
        return False
    move = (view.mid - view.last_mid) * side.sign
    return move > 0 and move >= params.sweep_move_pct_threshold * view.last_mid
