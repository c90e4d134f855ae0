"""Absorption: the pressure goes on, and the price no longer follows.

Chart readers since Wyckoff call it *effort without result*; in the literature, it is a resilient
book that takes in aggressive orders without moving: Biais, Hillion and Spatt, "An Empirical
Analysis of the Limit Order Book and the Order Flow in the Paris Bourse" (Journal of Finance 50(5),
1995), and Bouchaud, Gefen, Potters and Wyart, "Fluctuations and Response in Financial Markets"
(Quantitative Finance 4(2), 2004), on liquidity that is put back against a persistent flow.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from execsvc.strategies.orderflow_exhaustion_v1.market_view import View
from execsvc.strategies.orderflow_exhaustion_v1.params import OrderflowParams
from execsvc.strategies.orderflow_exhaustion_v1.pressure import Pressure

Absorption = Literal["waits", "replaced", "absorbed", "timed_out"]


class AbsorptionStep(NamedTuple):
    """The judgement of a pressure by one tick, and its number of absorbed ticks by then."""

    absorption: Absorption
    pressure: Pressure
    absorbed: int


def step(
    waiting: Pressure, count: int, view: View, fresh: Pressure | None, params: OrderflowParams
) -> AbsorptionStep:
    """Judge one tick; ``fresh`` is the pressure that this tick itself shows."""
    if fresh is not None and fresh.side is not waiting.side:
        return AbsorptionStep("replaced", fresh, 0)
    sign = waiting.side.sign
    pushed = view.worst(waiting.side)
    if (pushed - waiting.extreme) * sign > 0:
        waiting, count = waiting.model_copy(update={"extreme": pushed}), 0
    else:
        count = max(count + (1 if _is_absorbed(waiting, view, params) else -1), 0)
        if count >= params.confirm_absorption_ticks:
            return AbsorptionStep("absorbed", waiting, count)
    over = timed_out(waiting, view.now, params)
    return AbsorptionStep("timed_out" if over else "waits", waiting, count)


def timed_out(waiting: Pressure, now: datetime, params: OrderflowParams) -> bool:
    """True when the pressure is ``confirm_timeout_sec`` old, or older."""
    return now - waiting.at >= timedelta(seconds=params.confirm_timeout_sec)


def _is_absorbed(waiting: Pressure, view: View, params: OrderflowParams) -> bool:
    sign = waiting.side.sign
    calm = view.spread <= params.spread_normalized_max_ratio * waiting.calm_spread
    stands = view.last_mid is None or (view.mid - view.last_mid) * sign <= 0
    return calm and stands and view.window.flow(waiting.exchange_time).leans(waiting.side)
