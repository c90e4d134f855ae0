"""Trades against one-sided taker flow that no longer moves the price.

The rules are in the modules beside this one: the view of a tick on the market (``market_view``),
the conditions of *pressure* (``pressure``), of its *absorption* (``absorption``), and of an exit
(``exits``); each states, with sources, what it measures. This module has the order in which they
are asked, and the orders that follow.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import ClassVar

from pydantic import BaseModel

from execsvc.errors import OrderRefused, Unavailable
from execsvc.model.market import Symbol, round_down
from execsvc.model.order import Fill, Side
from execsvc.model.public_trades import PublicTrades
from execsvc.model.stamps import FARTHEST_AHEAD
from execsvc.strategies.base import Strategy, StrategyContext
from execsvc.strategies.diagnostics import Diagnostics
from execsvc.strategies.orderflow_exhaustion_v1.absorption import step, timed_out
from execsvc.strategies.orderflow_exhaustion_v1.dealt_trades import DealtTrades
from execsvc.strategies.orderflow_exhaustion_v1.exits import Held, after_tick
from execsvc.strategies.orderflow_exhaustion_v1.market_view import (
    Reads,
    View,
    ViewTerms,
    opposite,
    view_of,
)
from execsvc.strategies.orderflow_exhaustion_v1.params import OrderflowParams
from execsvc.strategies.orderflow_exhaustion_v1.pressure import pressure, signals
from execsvc.strategies.orderflow_exhaustion_v1.state import OrderflowState, Phase, TickDiagnostics

Context = StrategyContext[OrderflowParams, OrderflowState]


class OrderflowExhaustion(Strategy[OrderflowParams, OrderflowState]):
    """Fades one-sided taker flow once the book absorbs it; buys, or sells the user's own base."""

    id = "orderflow_exhaustion_v1"
    Params: ClassVar[type[BaseModel]] = OrderflowParams
    State: ClassVar[type[BaseModel]] = OrderflowState

    def __init__(self) -> None:
        self.last_tick = TickDiagnostics()
        self._dealt = DealtTrades()

    def diagnostics(self) -> Diagnostics:
        """The signals of pressure, their ends, and the flow of takers."""
        return self.last_tick.diagnostics()

    def execute(self, ctx: Context) -> None:
        """Run one tick. Decisions by time alone are made before a failed read ends the tick."""
        self.last_tick = TickDiagnostics()
        view, fault = self._read_market(ctx)
        self._follow_position(ctx)
        state = ctx.state
        if state.phase is Phase.COOLDOWN and _is_over(ctx):
            _go(state, Phase.FLAT)
        if state.phase is Phase.IN_POSITION:
            self._hold(ctx, view)
        elif state.phase is Phase.WAIT_CONFIRM:
            self._confirm(ctx, view)
        elif state.phase is Phase.FLAT and view is not None:
            self._seek(ctx, view)
        if fault is not None:
            raise fault

    def _read_market(self, ctx: Context) -> tuple[View | None, Unavailable | None]:
        """This tick's market, None without a book; and the read that failed."""
        params, state = ctx.params, ctx.state
        fault = None
        try:
            depth = ctx.depth(params.depth_limit)
        except Unavailable as error:
            return None, error
        try:
            self._dealt.follow(PublicTrades.of(ctx.trades(params.trades_limit)))
            dealt = self._dealt
        except Unavailable as error:
            dealt, fault = DealtTrades(), error
        reads = Reads(depth, dealt, ctx.now, ctx.wall_clock)
        terms = ViewTerms(
            ctx.interval,
            params.trades_lookback_sec,
            params.trades_limit,
            params.spread_ema_alpha,
        )
        view, state.memory = view_of(state.memory, reads, terms)
        self.last_tick = TickDiagnostics(view)
        if view.window.cut:
            self._count_cut(ctx)
        self._log_ahead(ctx, view)
        _follow_time(state, view.exchange_time)
        return view, fault

    def _count_cut(self, ctx: Context) -> None:
        ctx.state.cut_windows += 1
        if ctx.state.cut_windows == 1:
            ctx.log(
                f"trades_limit {ctx.params.trades_limit} is too small for "
                f"{ctx.params.trades_lookback_sec:g} s of this market: the window is cut short"
            )

    def _log_ahead(self, ctx: Context, view: View) -> None:
        """Log once, for as long as it lasts, that there are no entries without a time of the
        exchange.
        """
        if view.ahead is not None and not ctx.state.stamps_ahead:
            ctx.log(
                f"a stamp of the exchange is more than {FARTHEST_AHEAD.seconds} s ahead of our clock: "
                f"{str(view.ahead)[:20]} ms; not believed; check the clock of this machine"
            )
        ctx.state.stamps_ahead = view.ahead is not None

    def _follow_position(self, ctx: Context) -> None:
        """Follow the position by the ledger: orders may have been settled since."""
        state, position = ctx.state, ctx.position
        if position.side is None:
            if state.phase is Phase.IN_POSITION:
                _cool_down(ctx)
        elif state.held is None:
            state.phase = Phase.IN_POSITION
            state.held = Held(
                side=Side.BUY if position.side == "BUY" else Side.SELL,
                opened_at=position.opened_at or ctx.now,
                since=state.memory.exchange_time,
                extreme=None if state.pressure is None else state.pressure.extreme,
            )

    def _seek(self, ctx: Context, view: View) -> None:
        seen = signals(view, ctx.params)
        found = pressure(view, seen, ctx.params)
        self.last_tick = TickDiagnostics(view, seen, None if found is None else "pressure", found)
        if found is not None:
            _go(ctx.state, Phase.WAIT_CONFIRM)
            ctx.state.pressure = found

    def _confirm(self, ctx: Context, view: View | None) -> None:
        state = ctx.state
        assert state.pressure is not None, "it is what is waited on"
        if view is None:
            if timed_out(state.pressure, ctx.now, ctx.params):
                self.last_tick = TickDiagnostics(None, None, "timed_out", state.pressure)
                _go(state, Phase.FLAT)
            return
        seen = signals(view, ctx.params)
        fresh = pressure(view, seen, ctx.params)
        done = step(state.pressure, state.absorbed, view, fresh, ctx.params)
        event = None if done.absorption == "waits" else done.absorption
        self.last_tick = TickDiagnostics(view, seen, event, done.pressure)
        state.pressure, state.absorbed = done.pressure, done.absorbed
        if done.absorption == "absorbed":
            self._enter(ctx, view)
        elif done.absorption == "timed_out":
            _go(state, Phase.FLAT)

    def _enter(self, ctx: Context, view: View) -> None:
        """Trade against the absorbed pressure; the state that goes with the order is the one after."""
        state = ctx.state
        assert state.pressure is not None, "it is what was absorbed"
        side = opposite(state.pressure.side)
        state.phase = Phase.IN_POSITION
        state.held = Held(
            side=side,
            opened_at=ctx.now,
            since=view.exchange_time,
            extreme=state.pressure.extreme,
        )
        try:
            _order_entry(ctx, side, view)
        except OrderRefused as refusal:
            if ctx.position.side is None:
                ctx.log(f"no {side.name} entry: {refusal}")
                self.last_tick = self.last_tick._replace(refused=str(refusal))
                _cool_down(ctx)
        except BaseException:
            # Nothing is known to be filled; a position that turns up is followed all the same.
            state.phase, state.held = Phase.WAIT_CONFIRM, None
            raise

    def _hold(self, ctx: Context, view: View | None) -> None:
        state = ctx.state
        assert state.held is not None, "it is what is held"
        state.held = after_tick(state.held, ctx.position.entry_price, view, ctx.params, ctx.now)
        if state.held.rule is None:
            return
        try:
            _order_exit(ctx, state.held.side, state.held.rule)
        except OrderRefused:
            if ctx.position.side is not None:
                raise
        if ctx.position.side is None:
            _cool_down(ctx)


def _order_entry(ctx: Context, side: Side, view: View) -> Fill:
    """Send the entry; returns its fill. Raises OrderRefused when nothing was filled."""
    params, allocation = ctx.params, ctx.allocation
    reason = f"absorbed {opposite(side).name} pressure"
    if side is Side.BUY:
        quote = Symbol.parse(ctx.symbol).quote
        spend = ctx.balance().free(quote) * params.buy_allocation_ratio
        spend = spend if allocation is None else min(spend, allocation)
        return ctx.buy(_rounded(spend / view.best_ask, params), reason)
    amount = ctx.free_base() * params.sell_allocation_ratio
    amount = amount if allocation is None else min(amount, allocation / view.best_bid)
    return ctx.sell_owned(_rounded(amount, params), reason)


def _rounded(amount: Decimal, params: OrderflowParams) -> Decimal:
    rounded = round_down(amount, params.quantity_precision)
    if rounded <= 0:
        raise OrderRefused("not affordable")
    return rounded


def _order_exit(ctx: Context, side: Side, rule: str) -> None:
    if side is Side.BUY:
        ctx.sell(ctx.position.tracked, rule)
    else:
        ctx.buy_back(ctx.position.sold_short, rule)


def _follow_time(state: OrderflowState, time: int | None) -> None:
    """Put noted times that are later than the exchange's ``time`` back to it: they were not true."""
    if time is None:
        return
    if state.pressure is not None and state.pressure.exchange_time > time:
        state.pressure = state.pressure.model_copy(update={"exchange_time": time})
    if state.held is not None and state.held.since is not None and state.held.since > time:
        state.held = state.held.model_copy(update={"since": time})


def _is_over(ctx: Context) -> bool:
    since = ctx.state.cooldown_from
    return since is None or ctx.now - since >= timedelta(seconds=ctx.params.cooldown_sec)


def _cool_down(ctx: Context) -> None:
    _go(ctx.state, Phase.COOLDOWN)
    ctx.state.cooldown_from = ctx.now


def _go(state: OrderflowState, phase: Phase) -> None:
    state.phase = phase
    state.pressure, state.absorbed, state.held, state.cooldown_from = None, 0, None, None
