"""The strategy that is measured: reads the ticker once a tick, and buys once if it is told to."""

from __future__ import annotations

import gc
from decimal import Decimal

from pydantic import BaseModel

from execsvc.strategies.base import NoState, Strategy, StrategyContext

ENTRY_POINT = "bench_v1 = _bench.strategy:Bench"


class BenchParams(BaseModel):
    """``buys``: base bought at the first tick; ``collects``: the tick that collects garbage."""

    buys: Decimal = Decimal(0)
    collects: int = 0


class Bench(Strategy[BenchParams, NoState]):
    """One ticker a tick."""

    id = "bench_v1"
    Params = BenchParams
    State = NoState

    def __init__(self) -> None:
        self._ticks = 0

    def execute(self, ctx: StrategyContext[BenchParams, NoState]) -> None:
        """One tick."""
        ctx.ticker()
        self._ticks += 1
        if ctx.params.buys and ctx.position.side is None:
            ctx.buy(ctx.params.buys, "bench")
        if self._ticks == ctx.params.collects:
            gc.collect()
