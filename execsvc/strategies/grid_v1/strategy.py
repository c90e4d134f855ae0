"""Buys at even levels on the way down, sells each part one level higher.

``levels`` has the place of a price in the grid, ``parts`` the share of each level. A tick orders in
this module: first the parts whose price has been reached, in one order, then those of all levels
that the price has crossed downwards since the last tick, in one order. The price is that of the
last trade, which is weak evidence in a thin market: the book has to agree to within half a level.
So no part is sold below the price paid for it, fees aside.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from pydantic import BaseModel

from execsvc.errors import OrderRefused
from execsvc.model.market import ZERO, Symbol, Ticker, plain, round_down
from execsvc.model.order import Side
from execsvc.strategies.base import Strategy, StrategyContext
from execsvc.strategies.budget import budget
from execsvc.strategies.diagnostics import Diagnostics
from execsvc.strategies.grid_v1 import parts
from execsvc.strategies.grid_v1.levels import Levels
from execsvc.strategies.grid_v1.params import GridParams
from execsvc.strategies.grid_v1.state import GridState, SentOrder, shape_of

Context = StrategyContext[GridParams, GridState]
_BOOK = 5
"""Levels of the book to ask for; only the best one is used."""


class GridTrading(Strategy[GridParams, GridState]):
    """Buys when the price crosses even levels downwards, sells each part one level higher."""

    id = "grid_v1"
    Params: ClassVar[type[BaseModel]] = GridParams
    State: ClassVar[type[BaseModel]] = GridState
    example_params: ClassVar[dict[str, Any]] = {"upper_price": 60_000, "lower_price": 40_000}

    def __init__(self) -> None:
        self._levels: Levels | None = None
        self._book_disagrees = False
        self._refused: str | None = None

    def diagnostics(self) -> Diagnostics:
        """The diagnostics: the reason for which an entry was refused, if one was."""
        return Diagnostics(refused=self._refused)

    def execute(self, ctx: Context) -> None:
        """Run one tick. A sale that is refused does not keep the other levels from buying."""
        self._refused = None
        if self._levels is None:
            self._levels = Levels(ctx.params)
        levels, ticker = self._levels, ctx.ticker()
        _share_out(ctx, ticker)
        if ctx.state.shape != shape_of(ctx.params):
            _begin(ctx, levels, ticker)
        _match_position(ctx, levels, ticker)
        before = ctx.state.below
        refusal = self._sell(ctx, levels, ticker)
        self._buy(ctx, levels, ticker)
        if ctx.state.below != before:
            _log_range(ctx, levels, ticker, before)
        if refusal is not None:
            raise refusal

    def _sell(self, ctx: Context, levels: Levels, ticker: Ticker) -> OrderRefused | None:
        """Sell the parts whose price has been reached.

        Returns the refusal, if there is one. Raises Unavailable when the book cannot be read.
        """
        state, due = ctx.state, levels.due(ctx.state.held, ticker.price)
        if due:
            best_bid = ctx.depth(_BOOK).best_bid
            reached, due = due, [level for level in due if levels.sells_at(level, best_bid)]
            self._compare(ctx, len(due) == len(reached), f"best bid is {plain(best_bid)}", ticker)
        if not due:
            return None
        # If this process dies after the order, the next one has to know how high the price was.
        state.below = max(state.below, levels.below(ticker.price))
        tracked = ctx.position.tracked
        state.order = SentOrder(side=Side.SELL, levels=tuple(due), before=tracked)
        try:
            ctx.sell(parts.to_sell(state.held, due, tracked), "one level higher")
        except OrderRefused as refusal:
            return refusal if ctx.position.side is not None else None
        finally:
            _share_out(ctx, ticker)
        return None

    def _buy(self, ctx: Context, levels: Levels, ticker: Ticker) -> None:
        """Buy the parts of the levels that the price has crossed downwards since the last tick.

        A refusal ends the crossing; a failed read, and a book that does not agree, leave it for the
        next tick. Raises Unavailable.
        """
        state, before, below = ctx.state, ctx.state.below, levels.below(ticker.price)
        wanted = [level for level in levels.crossed(before, below) if level not in state.held]
        best_ask = ctx.depth(_BOOK).best_ask if wanted else ticker.price
        agreed = [level for level in wanted if levels.buys_at(level, best_ask)]
        state.below = below if agreed == wanted else wanted[len(agreed)] + 1
        if wanted:
            self._compare(ctx, agreed == wanted, f"best ask is {plain(best_ask)}", ticker)
        if not agreed:
            return
        tracked = ctx.position.tracked
        state.order = SentOrder(side=Side.BUY, levels=tuple(agreed), before=tracked)
        try:
            amount = _amount(ctx, levels, len(agreed), best_ask, ticker)
            ctx.buy(amount, _reason(levels, agreed))
        except OrderRefused as refusal:
            self._refused = str(refusal)
            ctx.log(f"no entry, {_reason(levels, agreed)}: {refusal}")
        except BaseException:
            if ctx.position.tracked == tracked:
                state.below = before
            raise
        finally:
            _share_out(ctx, ticker)

    def _compare(self, ctx: Context, agrees: bool, best: str, ticker: Ticker) -> None:
        """Log, once until it is over, that the book prevents an order."""
        if not agrees and not self._book_disagrees:
            ctx.log(
                f"the last trade was at {plain(ticker.price)}, but the {best}: more than half a level "
                f"off, so an order waits"
            )
        self._book_disagrees = not agrees


def _share_out(ctx: Context, ticker: Ticker) -> None:
    """Distribute to the levels the outcome of an order that this process or an earlier one sent."""
    state = ctx.state
    if state.order is None:
        return
    tracked = ctx.position.tracked
    state.held = parts.after(state.held, state.order, tracked, ticker.limits, ticker.price)
    state.order = None


def _begin(ctx: Context, levels: Levels, ticker: Ticker) -> None:
    """Begin a grid at the present price: the levels below it wait, nothing is bought yet.

    Raises Unavailable when there is no allocation and the balance cannot be read.
    """
    params, state, quote = ctx.params, ctx.state, Symbol.parse(ctx.symbol).quote
    state.budget = None
    whole = _total(ctx)
    state.shape, state.held = shape_of(params), {}
    state.below = levels.below(ticker.price)
    part = whole / levels.count
    ctx.log(
        f"{levels.count} levels from {plain(params.lower_price)} to {plain(params.upper_price)}, "
        f"{plain(round_down(part, 8))} {quote} each; the price is {plain(ticker.price)}"
    )
    if whole > 0 and _is_too_small(part, ticker):
        ctx.log(f"no entry will be made: {_too_small(part, ticker, quote)}")
    _log_range(ctx, levels, ticker)


def _match_position(ctx: Context, levels: Levels, ticker: Ticker) -> None:
    """Adapt the levels to the position by the ledger; a part of no level goes to the nearest one."""
    state, position = ctx.state, ctx.position
    if position.side is None:
        if state.held:
            state.held = {}
    elif state.held:
        state.held = parts.matched(state.held, position.tracked)
    else:
        level = levels.nearest(position.entry_price or ticker.price)
        state.held = {level: position.tracked}


def _amount(ctx: Context, levels: Levels, count: int, best_ask: Decimal, ticker: Ticker) -> Decimal:
    """Base units for ``count`` levels: a part each, and no more than is left of the whole.

    Raises OrderRefused when a part would be too small to be sold again by itself, Unavailable.
    """
    whole, position = _total(ctx), ctx.position
    part = whole / levels.count
    if whole > 0 and _is_too_small(part, ticker):
        raise OrderRefused(_too_small(part, ticker, Symbol.parse(ctx.symbol).quote))
    left = whole - position.tracked * (position.entry_price or ticker.price)
    if left <= 0 < whole:
        raise OrderRefused(f"the position has cost all of {plain(whole)}")
    return min(part * count, left) / best_ask


def _total(ctx: Context) -> Decimal:
    """Quote for all levels together; decided once where there is no allocation. Raises Unavailable."""
    if ctx.allocation is not None:
        return ctx.allocation
    if ctx.state.budget is None:
        ctx.state.budget = budget(ctx, ctx.params.allocation_ratio)
    return ctx.state.budget


def _is_too_small(part: Decimal, ticker: Ticker) -> bool:
    return ticker.limits.refuses(part / ticker.price, ticker.price)


def _too_small(part: Decimal, ticker: Ticker, quote: str) -> str:
    return (
        f"{plain(round_down(part, 8))} {quote} for a level is less than the exchange takes "
        f"(minimum {plain(ticker.limits.min_notional or ZERO)} in worth, "
        f"{plain(ticker.limits.min_amount or ZERO)} in amount): fewer levels, or a larger allocation"
    )


def _reason(levels: Levels, crossed: list[int]) -> str:
    """``level at 52000``, or of several the highest and the lowest: ``3 levels from … to …``."""
    highest, lowest = (
        plain(round_down(levels.lines[level], 8)) for level in (crossed[0], crossed[-1])
    )
    if len(crossed) == 1:
        return f"level at {lowest}"
    return f"{len(crossed)} levels from {highest} to {lowest}"


def _log_range(ctx: Context, levels: Levels, ticker: Ticker, before: int | None = None) -> None:
    """Log once that the price has left the range, and that it is back."""
    price, outside = plain(ticker.price), {0: "below", levels.count + 1: "above"}
    where = outside.get(ctx.state.below)
    if where is not None:
        ctx.log(
            f"the price of {price} is at or {where} the end of the range: the bot keeps its position"
        )
    elif before in outside:
        ctx.log(f"the price of {price} is within the range again")
