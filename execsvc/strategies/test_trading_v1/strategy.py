"""Buys, holds, sells, so many times: for trying a set-up with little money."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from pydantic import BaseModel, Field

from execsvc.model.market import Symbol
from execsvc.strategies.base import Strategy, StrategyContext


class TrialParams(BaseModel):
    """Parameters of ``test_trading_v1``."""

    allocation_ratio: Decimal = Field(
        default=Decimal("0.1"),
        gt=0,
        le=1,
        title="Allocation ratio",
        description="part of the free quote balance to spend",
    )
    hold_duration: int = Field(default=60, ge=1, title="Hold duration", description="seconds")
    loop_count: int = Field(
        default=5, ge=0, title="Loop count", description="number of loops; 0 = without end"
    )


class TrialState(BaseModel):
    """The state that survives a restart: loops ended, and the position of the loop under way."""

    loops: int = 0
    opened_at: datetime | None = None


class TrialTrading(Strategy[TrialParams, TrialState]):
    """Buys for a part of the free quote balance, holds, sells all of it, and begins again."""

    id = "test_trading_v1"
    aliases = ("test_trading",)
    Params: ClassVar[type[BaseModel]] = TrialParams
    State: ClassVar[type[BaseModel]] = TrialState
    example_params: ClassVar[dict[str, Any]] = {
        "allocation_ratio": 0.1,
        "hold_duration": 3600,
        "loop_count": 1,
    }

    def execute(self, ctx: StrategyContext[TrialParams, TrialState]) -> None:
        """Run one tick: buy when flat, sell when held long enough.

        The position is read from the ledger, not remembered, so that a crash between an order and
        the end of its tick neither doubles an entry nor loses a loop.
        """
        position, state = ctx.position, ctx.state
        if position.side is None and state.opened_at is not None:
            state.loops += 1
            state.opened_at = None
        if position.side == "BUY":
            state.opened_at = state.opened_at or position.opened_at or ctx.now
            if (ctx.now - state.opened_at).total_seconds() >= ctx.params.hold_duration:
                ctx.sell(position.tracked, f"held {ctx.params.hold_duration} s")
        elif ctx.params.loop_count == 0 or state.loops < ctx.params.loop_count:
            self._buy(ctx)

    def _buy(self, ctx: StrategyContext[TrialParams, TrialState]) -> None:
        quote = Symbol.parse(ctx.symbol).quote
        spend = ctx.balance().free(quote) * ctx.params.allocation_ratio
        ctx.buy(spend / ctx.ticker().price, f"loop {ctx.state.loops + 1}")
