"""The view of one tick on the market, and the values that the next tick needs of it.

*Order flow* is the taker side of public trades. Cont, Kukanov and Stoikov, "The Price Impact of
Order Book Events" (Journal of Financial Econometrics 12(1), 2014), show that over short intervals
prices move with *order flow imbalance*, in proportion to how thin the book is; the traded part of
it, signed by the taker as Lee and Ready, "Inferring Trade Direction from Intraday Data" (Journal of
Finance 46(2), 1991), sign it, is the *trade imbalance* that is summed up here.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from execsvc.model.market import Depth
from execsvc.model.order import Side
from execsvc.model.stamps import latest_believed
from execsvc.strategies.orderflow_exhaustion_v1.dealt_trades import NO_WINDOW, DealtTrades, Window

STALE_INTERVALS = 3
"""Tick intervals after which the last mid is too old to judge a jump by."""
_MILLISECOND = timedelta(milliseconds=1)


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
    dealt: DealtTrades
    now: datetime
    """The time for durations."""
    wall_clock: datetime
    """The machine's clock."""


class Span(NamedTuple):
    """The stamps (ms) later than ``after``, up to ``until``."""

    after: int
    until: int


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
    depth, now = reads.depth, reads.now
    span = round(terms.lookback * 1000)
    latest = latest_believed(reads.wall_clock)
    memory = _believable(memory, latest)
    book = depth.timestamp
    # The time never goes back, so that what is out of the window stays out of it.
    behind = 0 if memory.exchange_time is None else memory.exchange_time - span
    newest, seen_at = _newest(memory, reads.dealt.newest(behind, latest), now)
    time = _exchange_time(
        memory, book if book is None or book <= latest else None, newest, seen_at, now
    )
    best_bid, best_ask, mid = depth.best_bid, depth.best_ask, depth.mid
    spread, average = best_ask - best_bid, memory.spread_average
    recent = memory.book_at is not None and now - memory.book_at <= timedelta(
        seconds=STALE_INTERVALS * terms.interval
    )
    view = View(
        now=now,
        best_bid=best_bid,
        best_ask=best_ask,
        mid=mid,
        spread=spread,
        average=average,
        last_mid=memory.mid,
        last_is_recent=recent,
        exchange_time=time,
        window=_window(reads.dealt, Span(behind, latest), time, span, terms.limit),
        ahead=_ahead(book, reads.dealt.newest_stamp, latest),
    )
    kept = MarketMemory(
        mid=mid,
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


def _ahead(book: int | None, newest: int | None, latest: int) -> int | None:
    """The later one of two stamps, where it is later than ``latest``."""
    largest = max(book or 0, newest or 0)
    return largest if largest > latest else None


def _newest(
    memory: MarketMemory, newest: int | None, now: datetime
) -> tuple[int | None, datetime | None]:
    """The newest stamp ever read, and the time of the tick that first saw it; ``newest``: of this read."""
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


def _window(dealt: DealtTrades, usable: Span, time: int | None, span: int, limit: int) -> Window:
    """The trades of the last ``span`` ms among those that are ``usable``.

    It may be cut short when as many were read as were asked for, none of them unusable or too old.
    """
    if time is None:
        return NO_WINDOW
    window = dealt.window(max(time - span, usable.after), min(time, usable.until))
    window.cut = limit <= len(dealt) == dealt.count(*usable) == window.count
    return window
