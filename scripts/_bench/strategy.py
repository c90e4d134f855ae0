"""The strategy that is measured: reads the ticker once a tick, and buys once if it is told to."""

from __future__ import annotations

import gc
from decimal import Decimal

from pydantic import BaseModel

from execsvc.strategies.base import NoState, Strategy, StrategyContext

ENTRY_POINT = "bench_v1 = _bench.strategy:Bench"


class BenchParams(BaseModel):
    """``reads``: the ticker; ``buys``: base, at once; ``collects``: garbage, at that tick."""

    reads: bool = True
    buys: Decimal = Decimal(0)
    collects: int = 0


class Bench(Strategy[BenchParams, NoState]):
    """One ticker a tick, or nothing at all."""

    id = "bench_v1"
    Params = BenchParams
    State = NoState

    def __init__(self) -> None:
        self._ticks = 0

    def execute(self, ctx: StrategyContext[BenchParams, NoState]) -> None:
        """One tick."""
        if ctx.params.reads:
            ctx.ticker()
        self._ticks += 1
        if ctx.params.buys and ctx.position.side is None:
            ctx.buy(ctx.params.buys, "bench")
        if self._ticks == ctx.params.collects:
            gc.collect()
