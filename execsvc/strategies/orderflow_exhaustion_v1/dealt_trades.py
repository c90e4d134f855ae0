"""The public trades that a strategy follows: only those that are new since the last tick are computed.

Sums over any span of time are differences of two running sums, which are exact; where the sum of one
trade after the other would have been rounded, they are summed one after the other.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from decimal import Context, Decimal, getcontext
from operator import itemgetter
from typing import NamedTuple

from execsvc.model.market import ZERO
from execsvc.model.order import Side
from execsvc.model.public_trades import PublicTrades, TradeRow, decimal_of

_EXACT = Context(prec=400)
"""A context that holds the sum of any trades; the usual 28 digits would round it."""
_stamp_of = itemgetter(0)


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
        return self.buys > self.sells if side is Side.BUY else self.sells > self.buys


NO_FLOW = Flow(ZERO, ZERO)


class Dealt(NamedTuple):
    """A usable public trade: stamp in ms, whether the taker bought, worth in quote and its exponent."""

    stamp: int
    is_buy: bool
    worth: Decimal
    exponent: int


class _SideSums:
    """The running sums of one side over trades in the order of their stamps."""

    __slots__ = ("exponents", "sums")

    def __init__(self) -> None:
        self.sums: list[Decimal] = [ZERO]
        """The sum of the trades before each, and of all of them."""
        self.exponents: list[int] = []
        """The exponent of each trade's worth; 0, that of an empty sum, for a trade of the other side."""

    def without(self, count: int) -> _SideSums:
        """The same without the first ``count`` trades."""
        rest = _SideSums()
        rest.sums = self.sums[count:]
        rest.exponents = self.exponents[count:]
        return rest

    def add(self, worth: Decimal | None, exponent: int) -> None:
        """Add a trade; None: of the other side."""
        last = self.sums[-1]
        self.sums.append(last if worth is None else _EXACT.add(last, worth))
        self.exponents.append(0 if worth is None else exponent)

    def between(self, low: int, high: int) -> Decimal | None:
        """The sum of the trades from ``low`` up to ``high``, with as many decimals as the longest of them.

        None when a sum of the usual number of digits would have been rounded.
        """
        if low >= high:
            return ZERO
        exponent = min(0, *self.exponents[low:high])
        exact = _EXACT.subtract(self.sums[high], self.sums[low])
        if exact.adjusted() - exponent >= getcontext().prec:
            return None
        return _EXACT.quantize(exact, _unit(exponent))


class _Timeline:
    """Trades in the order of their stamps, with their sums. Never changed once a tick has seen it."""

    __slots__ = ("buys", "in_order", "sells", "stamps")

    def __init__(self) -> None:
        self.stamps: list[int] = []
        self.buys = _SideSums()
        self.sells = _SideSums()
        self.in_order = True
        """True when the trades were read in this order, none of them incomplete."""

    def without(self, count: int) -> _Timeline:
        """The same without the first ``count`` trades."""
        rest = _Timeline()
        rest.stamps = self.stamps[count:]
        rest.buys, rest.sells = self.buys.without(count), self.sells.without(count)
        return rest

    def add(self, trade: Dealt) -> None:
        """Add a trade that is not older than the last one."""
        self.stamps.append(trade.stamp)
        self.buys.add(trade.worth if trade.is_buy else None, trade.exponent)
        self.sells.add(None if trade.is_buy else trade.worth, trade.exponent)


class Window:
    """The trades with T - lookback < stamp <= T."""

    __slots__ = ("_entries", "_high", "_low", "_since", "_timeline", "_until", "cut")

    def __init__(
        self,
        entries: Sequence[Dealt | None],
        timeline: _Timeline,
        since: int,
        until: int,
        cut: bool = False,
    ) -> None:
        self._entries = entries
        self._timeline = timeline
        self._since, self._until = since, until
        self._low = bisect_right(timeline.stamps, since)
        self._high = max(bisect_right(timeline.stamps, until), self._low)
        self.cut = cut
        """True when more trades may lie within the window than were read."""

    @property
    def count(self) -> int:
        """The number of its trades."""
        return self._high - self._low

    def flow(self, after: int | None = None) -> Flow:
        """The taker volume of the trades stamped after ``after``; None: of all."""
        low = self._low
        if after is not None and after > self._since:
            low = max(bisect_right(self._timeline.stamps, after), low)
        buys = self._timeline.buys.between(low, self._high)
        sells = self._timeline.sells.between(low, self._high)
        if buys is None or sells is None:
            return self._one_by_one(after)
        return Flow(buys, sells)

    def _one_by_one(self, after: int | None) -> Flow:
        """The same, each trade added as it was read."""
        since = self._since if after is None else max(after, self._since)
        buys = sells = ZERO
        for trade in self._entries:
            if trade is not None and since < trade.stamp <= self._until:
                if trade.is_buy:
                    buys += trade.worth
                else:
                    sells += trade.worth
        return Flow(buys, sells)


NO_WINDOW = Window((), _Timeline(), 0, 0)


class DealtTrades:
    """The public trades of the last read, kept from tick to tick."""

    def __init__(self) -> None:
        self._source: object = None
        self._first = 0
        self._entries: list[Dealt | None] = []
        """By row, as read; None for a trade that is incomplete."""
        self._timeline = _Timeline()
        self.newest_stamp: int | None = None
        """The latest stamp of all trades that were read, usable or not, in ms; None without any."""

    def __len__(self) -> int:
        """The number of trades that were read."""
        return len(self._entries)

    def follow(self, trades: PublicTrades) -> None:
        """Take over the read of a tick: compute the trades that the last read did not have."""
        gone = trades.first - self._first
        kept = len(self._entries) - gone
        if trades.source is not self._source or gone < 0 or not 0 <= kept <= len(trades.rows):
            gone, kept = len(self._entries), 0
        new = [_dealt(row) for row in trades.rows[kept:]]
        self._source, self._first = trades.source, trades.first
        self._entries = self._entries[gone:] + new
        self._timeline = self._next_timeline(gone, new)
        self.newest_stamp = trades.newest

    def newest(self, since: int, until: int) -> int | None:
        """The latest stamp of the usable trades with ``since`` < stamp <= ``until``; None without any."""
        stamps = self._timeline.stamps
        place = bisect_right(stamps, until)
        return stamps[place - 1] if place and stamps[place - 1] > since else None

    def count(self, since: int, until: int) -> int:
        """The number of usable trades with ``since`` < stamp <= ``until``."""
        stamps = self._timeline.stamps
        return max(bisect_right(stamps, until) - bisect_right(stamps, since), 0)

    def window(self, since: int, until: int) -> Window:
        """The usable trades with ``since`` < stamp <= ``until``."""
        return Window(self._entries, self._timeline, since, until)

    def _next_timeline(self, gone: int, new: list[Dealt | None]) -> _Timeline:
        if not gone and not new:
            return self._timeline
        if self._timeline.in_order:
            timeline = self._timeline.without(gone)
            last = timeline.stamps[-1] if timeline.stamps else 0
            for trade in new:
                if trade is None or trade.stamp < last:
                    break
                timeline.add(trade)
                last = trade.stamp
            else:
                return timeline
        return _sorted(self._entries)


def _sorted(entries: Sequence[Dealt | None]) -> _Timeline:
    timeline = _Timeline()
    complete = [trade for trade in entries if trade is not None]
    ordered = sorted(complete, key=_stamp_of)
    for trade in ordered:
        timeline.add(trade)
    timeline.in_order = len(complete) == len(entries) and ordered == complete
    return timeline


def _dealt(row: TradeRow) -> Dealt | None:
    """One trade of a read; None when a part of it is missing or odd."""
    stamp, price, amount, side = row
    if stamp is None or price is None or amount is None or side is None or side not in _IS_BUY:
        return None
    worth = decimal_of(price) * decimal_of(amount)
    exponent = worth.as_tuple().exponent
    assert isinstance(exponent, int), "a checked number is finite"
    return Dealt(stamp, _IS_BUY[side], worth, exponent)


_IS_BUY = {Side.BUY.value: True, Side.SELL.value: False}
_UNITS: dict[int, Decimal] = {}


def _unit(exponent: int) -> Decimal:
    """A one in the last place of numbers with ``exponent``."""
    unit = _UNITS.get(exponent)
    if unit is None:
        unit = _UNITS[exponent] = Decimal(1).scaleb(exponent)
    return unit
