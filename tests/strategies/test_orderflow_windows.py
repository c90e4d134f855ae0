"""The windows of ``orderflow_exhaustion_v1``, made of what is new, against a sum over all trades."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import NamedTuple

from hypothesis import example, given
from hypothesis import strategies as st

from execsvc.model.market import ZERO, Depth, Level, Trade
from execsvc.model.public_trades import PublicTrades, RowNumbers, TradeRow
from execsvc.model.stamps import EPOCH, latest_believed
from execsvc.strategies.orderflow_exhaustion_v1.dealt_trades import DealtTrades
from execsvc.strategies.orderflow_exhaustion_v1.market_view import (
    MarketMemory,
    Reads,
    View,
    ViewTerms,
    view_of,
)

START = datetime(2026, 1, 1, tzinfo=timezone.utc)
START_MS = (START - EPOCH) // timedelta(milliseconds=1)
LIMIT, LOOKBACK = 8, 3.0
TERMS = ViewTerms(1.0, LOOKBACK, LIMIT, Decimal("0.2"))
LONG = "1234567890123.12345678901234567"
"""A number whose worth has more digits than a sum keeps."""


class Step(NamedTuple):
    """One tick: the time that has passed [ms], the trades since the last one, and what befalls the bot."""

    passed: int
    trades: list[TradeRow]
    book: int | None
    """The book's stamp, in ms after the tick; None without one."""
    clock: int
    """The step of the machine's clock, in ms."""
    restarts: bool
    fails: bool
    shown: int
    """The number of trades that the exchange shows of those it is asked for."""


numbers = st.sampled_from(["1", "0.1", "1.50", "0.333", "12.00000001", "1E+3", LONG, "0.0000001"])
rows = st.tuples(
    st.one_of(st.integers(-4000, 0), st.sampled_from([-1, 0, 0, 0, 200_000]), st.none()),
    st.one_of(numbers, st.just("5")),
    st.one_of(numbers, st.just("0"), st.just("2")),
    st.sampled_from(["buy", "buy", "sell", "sell", "odd", None]),
)
usual_rows = st.tuples(
    st.sampled_from([-300, -2, -1, 0, 0]), numbers, numbers, st.sampled_from(["buy", "sell"])
)
steps = st.builds(
    Step,
    passed=st.sampled_from([0, 100, 1000, 1000, 2500, 9000]),
    trades=st.one_of(
        st.lists(usual_rows, max_size=4), st.lists(rows, max_size=4), st.lists(rows, max_size=12)
    ),
    book=st.sampled_from([0, 0, -50, -5000, 100_000, None]),
    clock=st.sampled_from([0] * 8 + [-100_000, 30_000, 200_000]),
    restarts=st.sampled_from([False] * 9 + [True]),
    fails=st.sampled_from([False] * 9 + [True]),
    shown=st.sampled_from([LIMIT] * 6 + [3, 0]),
)


class Full(NamedTuple):
    """The numbers of one tick by a full recomputation."""

    buys: Decimal
    sells: Decimal
    recent_buys: Decimal
    recent_sells: Decimal
    cut: bool
    newest: int | None
    ahead: int | None
    exchange_time: int | None


def full(
    memory: MarketMemory,
    book: int | None,
    trades: Sequence[Trade],
    now: datetime,
    clock: datetime,
    after: int,
) -> Full:
    """Every number from all trades of the answer, one trade after the other, as it is defined."""
    latest, span = latest_believed(clock), round(LOOKBACK * 1000)
    before = memory.exchange_time
    before = None if before is not None and before > latest else before
    newest, seen_at = memory.newest_trade, memory.newest_seen_at
    if newest is not None and newest > latest:
        newest = seen_at = None
    behind = 0 if before is None else before - span
    usable = [
        each
        for each in trades
        if each.timestamp is not None
        and behind < each.timestamp <= latest
        and each.side in ("buy", "sell")
        and each.price is not None
        and each.amount is not None
    ]
    for each in usable:
        if newest is None or (each.timestamp or 0) > newest:
            newest, seen_at = each.timestamp, now
    known = [stamp for stamp in (before, newest) if stamp is not None]
    if book is not None and book <= latest:
        known.append(book)
    elif newest is not None and seen_at is not None:
        known.append(newest + (now - seen_at) // timedelta(milliseconds=1))
    time = max(known, default=None)
    stamps = [stamp for stamp in (book, *(each.timestamp for each in trades)) if stamp]
    ahead = max((stamp for stamp in stamps if stamp > latest), default=None)
    sums, recent, within = {"buy": ZERO, "sell": ZERO}, {"buy": ZERO, "sell": ZERO}, 0
    for each in usable:
        assert each.timestamp is not None and each.price is not None and each.amount is not None
        if time is not None and time - span < each.timestamp <= time:
            within += 1
            sums[str(each.side)] += each.price * each.amount
            if each.timestamp > after:
                recent[str(each.side)] += each.price * each.amount
    cut = len(trades) >= LIMIT and len(trades) == len(usable) == within
    return Full(*sums.values(), *recent.values(), cut, newest, ahead, time)


def seen(view: View, memory: MarketMemory, after: int) -> Full:
    """The numbers of one tick as the strategy has them."""
    flow, recent = view.window.flow(), view.window.flow(after)
    cut = view.window.cut
    return Full(*flow, *recent, cut, memory.newest_trade, view.ahead, view.exchange_time)


def trades_of(answer: Sequence[TradeRow]) -> PublicTrades:
    return PublicTrades(answer)


@given(st.lists(steps, min_size=3, max_size=25), st.booleans())
@example(
    [Step(1000, [(0, LONG, "3", "buy"), (0, "1", "1", "buy")], 0, 0, False, False, 8)] * 6, True
)
def test_window_from_what_is_new_equals_the_sum_over_all_trades(
    market: list[Step], texts: bool
) -> None:
    memory, dealt, numbering = MarketMemory(), DealtTrades(), RowNumbers()
    told: list[TradeRow] = []
    elapsed = stepped = 0
    for step in market:
        elapsed, stepped = elapsed + step.passed, stepped + step.clock
        here = START_MS + elapsed
        for stamp, price, amount, side in step.trades:
            at = None if stamp is None else here + stamp
            written = (price, amount) if texts else (Decimal(str(price)), Decimal(str(amount)))
            told.append((at, *written, side))
        answer = told[-LIMIT:][-step.shown :] if step.shown else []
        if step.restarts:
            dealt, numbering = DealtTrades(), RowNumbers()
        numbering.follow(answer)
        reads = DealtTrades()
        if not step.fails:
            dealt.follow(PublicTrades(answer, numbering, numbering.first))
            reads = dealt
        now = START + timedelta(milliseconds=elapsed)
        clock = now + timedelta(milliseconds=stepped)
        stamp = None if step.book is None else here + step.book
        after = here - 1000
        trades = () if step.fails else tuple(trades_of(answer))
        expected = full(memory, stamp, trades, now, clock, after)

        view, memory = view_of(memory, Reads(book(stamp), reads, now, clock), TERMS)

        assert repr(seen(view, memory, after)) == repr(expected)


def book(stamp: int | None) -> Depth:
    level = Level(Decimal(1), Decimal(1))
    return Depth(
        symbol="A/B", timestamp=stamp, bids=(level,), asks=(level._replace(price=Decimal(2)),)
    )
