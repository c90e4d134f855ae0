"""The view of one tick on the market, and the values that the next tick needs of it.

*Order flow* is the taker side of public trades. Cont, Kukanov and Stoikov, "The Price Impact of
Order Book Events" (Journal of Financial Econometrics 12(1), 2014), show that over short intervals
prices move with *order flow imbalance*, in proportion to how thin the book is; the traded part of
it, signed by the taker as Lee and Ready, "Inferring Trade Direction from Intraday Data" (Journal of
Finance 46(2), 1991), sign it, is the *trade imbalance* that is summed up here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from execsvc.model.market import ZERO, Depth, Trade
from execsvc.model.order import Side
from execsvc.model.stamps import latest_believed

STALE_INTERVALS = 3
"""Tick intervals after which the last mid is too old to judge a jump by."""
_MILLISECOND = timedelta(milliseconds=1)
_SIDES = {side.value: side for side in Side}


class MarketMemory(BaseModel):
    """The values kept from every tick that reads a book, in every state.

    Prices and spreads in quote per base, stamps in ms of the exchange's time.
    """

    model_config = ConfigDict(frozen=True)

    mid: Decimal | None = None
    book_at: datetime | None = None
    spread_average: Decimal | None = None
    exchange_time: int | None = None
    newest_trade: int | None = None
    newest_seen_at: datetime | None = None


class Flow(NamedTuple):
    """Taker volume in quote, by side."""

    buys: Decimal
    sells: Decimal

    @property
    def total(self) -> Decimal:
        """Both sides together."""
        return self.buys + self.sells

    def of(self, side: Side) -> Decimal:
        """The volume that takers on ``side`` moved."""
        return self.buys if side is Side.BUY else self.sells

    def leans(self, side: Side) -> bool:
        """True when ``side`` moved strictly more than the other."""
        return self.of(side) > self.of(opposite(side))


NO_FLOW = Flow(ZERO, ZERO)


class Dealt(NamedTuple):
    """A usable public trade: stamp in ms, the taker's side, worth in quote."""

    stamp: int
    side: Side
    worth: Decimal


class Window(NamedTuple):
    """The trades with T - lookback < stamp <= T."""

    trades: tuple[Dealt, ...] = ()
    cut: bool = False
    """True when more trades may lie within the window than were read."""

    def flow(self, after: int | None = None) -> Flow:
        """The taker volume of the trades stamped after ``after``; None: of all."""
        sums = {Side.BUY: ZERO, Side.SELL: ZERO}
        for trade in self.trades:
            if after is None or trade.stamp > after:
                sums[trade.side] += trade.worth
        return Flow(sums[Side.BUY], sums[Side.SELL])


class View(NamedTuple):
    """One tick's market. ``average`` is the spread to compare with, None on the first tick."""

    now: datetime
    best_bid: Decimal
    best_ask: Decimal
    mid: Decimal
    spread: Decimal
    average: Decimal | None
    last_mid: Decimal | None
    last_is_recent: bool
    exchange_time: int | None
    window: Window
    ahead: int | None = None
    """The largest stamp that is not believed, in ms; None when all are."""

    def worst(self, side: Side) -> Decimal:
        """The price that takers on ``side`` have reached: the best price that is left to them."""
        return self.best_ask if side is Side.BUY else self.best_bid


def opposite(side: Side) -> Side:
    """The other side."""
    return Side.SELL if side is Side.BUY else Side.BUY


class Reads(NamedTuple):
    """The reads of one tick."""

    depth: Depth
    trades: Sequence[Trade]
    now: datetime
    """The time for durations."""
    wall_clock: datetime
    """The machine's clock."""


class ViewTerms(NamedTuple):
    """The terms on which reads make a view; times in seconds."""

    interval: float
    lookback: float
    limit: int
    """The number of trades that are asked for."""
    alpha: Decimal
    """The weight of the newest spread in its average."""


def view_of(memory: MarketMemory, reads: Reads, terms: ViewTerms) -> tuple[View, MarketMemory]:
    """The view of this tick, and the memory for the next one."""
    depth, trades, now = reads.depth, reads.trades, reads.now
    span = round(terms.lookback * 1000)
    latest = latest_believed(reads.wall_clock)
    memory = _believable(memory, latest)
    stamps = [stamp for stamp in (depth.timestamp, *(trade.timestamp for trade in trades)) if stamp]
    ahead = max((stamp for stamp in stamps if stamp > latest), default=None)
    book = depth.timestamp
    # The time never goes back, so that what is out of the window stays out of it.
    behind = 0 if memory.exchange_time is None else memory.exchange_time - span
    usable = _usable(trades, behind, latest)
    newest, seen_at = _newest(memory, usable, now)
    time = _exchange_time(
        memory, book if book is None or book <= latest else None, newest, seen_at, now
    )
    spread, average = depth.best_ask - depth.best_bid, memory.spread_average
    recent = memory.book_at is not None and now - memory.book_at <= timedelta(
        seconds=STALE_INTERVALS * terms.interval
    )
    view = View(
        now=now,
        best_bid=depth.best_bid,
        best_ask=depth.best_ask,
        mid=depth.mid,
        spread=spread,
        average=average,
        last_mid=memory.mid,
        last_is_recent=recent,
        exchange_time=time,
        window=_window(
            usable, time, span, len(trades) >= terms.limit and len(usable) == len(trades)
        ),
        ahead=ahead,
    )
    kept = MarketMemory(
        mid=depth.mid,
        book_at=now,
        spread_average=spread if average is None else average + terms.alpha * (spread - average),
        exchange_time=time,
        newest_trade=newest,
        newest_seen_at=seen_at,
    )
    return view, kept


def _believable(memory: MarketMemory, latest: int) -> MarketMemory:
    """``memory`` without a time that is later than ``latest``: it would stand until that comes."""
    if memory.exchange_time is not None and memory.exchange_time > latest:
        memory = memory.model_copy(update={"exchange_time": None})
    if memory.newest_trade is not None and memory.newest_trade > latest:
        memory = memory.model_copy(update={"newest_trade": None, "newest_seen_at": None})
    return memory


def _usable(trades: Sequence[Trade], behind: int, latest: int) -> list[tuple[int, Trade]]:
    """The trades stamped after ``behind``, up to ``latest``; incomplete ones are left out."""
    return [
        (trade.timestamp, trade)
        for trade in trades
        if trade.timestamp is not None
        and behind < trade.timestamp <= latest
        and trade.side in _SIDES
        and trade.price is not None
        and trade.amount is not None
    ]


def _newest(
    memory: MarketMemory, trades: Sequence[tuple[int, Trade]], now: datetime
) -> tuple[int | None, datetime | None]:
    """The newest stamp ever read, and the time of the tick that first saw it."""
    newest = max([stamp for stamp, _ in trades], default=None)
    if newest is None or (memory.newest_trade is not None and newest <= memory.newest_trade):
        return memory.newest_trade, memory.newest_seen_at
    return newest, now


def _exchange_time(
    memory: MarketMemory,
    book: int | None,
    newest: int | None,
    seen_at: datetime | None,
    now: datetime,
) -> int | None:
    """The exchange's time now, in ms; it never goes back. None before the first stamp."""
    known = [memory.exchange_time, newest]
    if book is not None:
        known.append(book)
    elif newest is not None and seen_at is not None:
        known.append(newest + (now - seen_at) // _MILLISECOND)
    return max((stamp for stamp in known if stamp is not None), default=None)


def _window(
    trades: Sequence[tuple[int, Trade]], time: int | None, span: int, may_be_cut: bool
) -> Window:
    """The trades of the last ``span`` ms.

    ``may_be_cut``: as many were read as were asked for, none of them too old.
    """
    if time is None:
        return Window()
    within = tuple(_dealt(*each) for each in trades if time - span < each[0] <= time)
    return Window(within, may_be_cut and len(within) == len(trades))


def _dealt(stamp: int, trade: Trade) -> Dealt:
    assert trade.price is not None
    assert trade.amount is not None
    return Dealt(stamp, _SIDES[str(trade.side)], trade.price * trade.amount)
