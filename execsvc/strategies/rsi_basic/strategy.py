"""Buys when an oversold market turns, sells when an overbought one does.

``candles`` makes closed candles of the prices that the bot sees, ``indicator`` the RSI of them.
This module has the orders after a crossing of a threshold. Between two closes a tick reads nothing.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel

from execsvc.errors import OrderRefused
from execsvc.model.order import Side
from execsvc.strategies.base import Strategy, StrategyContext
from execsvc.strategies.budget import budget
from execsvc.strategies.diagnostics import Diagnostics
from execsvc.strategies.rsi_basic.indicator import Candles
from execsvc.strategies.rsi_basic.params import RsiParams


class RsiState(BaseModel):
    """The state that survives a restart; it changes once a candle, and with an order."""

    candles: Candles | None = None
    signal: Side | None = None
    """The order that a crossing has asked for and that is not done yet.

    BUY stands until the next candle closes, SELL until the bot is flat.
    """


Context = StrategyContext[RsiParams, RsiState]


class RsiBasic(Strategy[RsiParams, RsiState]):
    """Buys when Wilder's RSI crosses up through a threshold, sells all when it crosses down through one."""

    id = "rsi_basic"
    Params: ClassVar[type[BaseModel]] = RsiParams
    State: ClassVar[type[BaseModel]] = RsiState

    def __init__(self) -> None:
        self._refused: str | None = None

    def diagnostics(self) -> Diagnostics:
        """The diagnostics: the reason for which an entry was refused, if one was."""
        return Diagnostics(refused=self._refused)

    def execute(self, ctx: Context) -> None:
        """Run one tick: close a candle whose time is over, then order as a crossing asks."""
        self._refused = None
        _close_candle(ctx)
        state = ctx.state
        if state.signal is None:
            return
        is_flat = ctx.position.side is None
        if is_flat and state.signal is Side.BUY:
            self._buy(ctx)
        elif not is_flat and state.signal is Side.SELL:
            _sell(ctx)
        else:
            state.signal = None

    def _buy(self, ctx: Context) -> None:
        """Buy once; a refusal ends the signal, a failed read leaves it for the next tick."""
        state = ctx.state
        amount = budget(ctx, ctx.params.allocation_ratio) / ctx.ticker().price
        reason = f"RSI up through {ctx.params.buy_threshold:f}"
        state.signal = None  # the state that is recorded together with the filled order
        try:
            ctx.buy(amount, reason)
        except OrderRefused as refusal:
            self._refused = str(refusal)
            ctx.log(f"no entry, {reason}: {refusal}")
        except BaseException:
            state.signal = Side.BUY
            raise


def _close_candle(ctx: Context) -> None:
    """Close the candle under way if its time is over. Raises Unavailable when no price can be had."""
    params, state, candles = ctx.params, ctx.state, ctx.state.candles
    length = max(float(params.candle_sec), ctx.interval)
    number = int(ctx.now.timestamp() // length)
    if candles is None or not candles.fits(params.period, length, number):
        state.candles = Candles(
            period=params.period, length=length, number=number, close=ctx.ticker().price
        )
        if state.signal is Side.BUY:
            state.signal = None
        ctx.log(
            f"begins to count candles of {length:g} s: the first RSI of {params.period} is there in "
            f"about {(params.period + 1) * length / 60:.3g} min"
        )
    elif number > candles.number:
        state.candles = closed = candles.closed(number, ctx.ticker().price)
        if state.signal is not Side.SELL:
            state.signal = _signal(closed, params)


def _signal(candles: Candles, params: RsiParams) -> Side | None:
    if candles.crossed_up(params.buy_threshold):
        return Side.BUY
    return Side.SELL if candles.crossed_down(params.sell_threshold) else None


def _sell(ctx: Context) -> None:
    """Sell all; a rest is ordered again on the next tick."""
    state = ctx.state
    try:
        ctx.sell(ctx.position.tracked, f"RSI down through {ctx.params.sell_threshold:f}")
    except OrderRefused:
        if ctx.position.side is not None:
            raise
    if ctx.position.side is None:
        state.signal = None
