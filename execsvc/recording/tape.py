"""A recording as it is played: the market as known at a moment, and nothing later."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from execsvc.model.market import Depth, Trade
from execsvc.recording.lines import BookLine, Line

MOST_TRADES = 1000
"""The most trades that are kept, and that a caller may ask for."""


class Tape:
    """Plays lines in their order.

    Times are ms since the epoch. Reads one line ahead, to know the end; that line is not shown
    before its time.
    """

    def __init__(self, lines: Iterable[Line]) -> None:
        self._lines = iter(lines)
        first = next(self._lines)
        assert isinstance(first, BookLine), "a recording begins with a book"
        self.start = self.last = first.t
        self._book = first
        self._trades: list[Trade] = []
        self._next = next(self._lines, None)

    @property
    def ended(self) -> bool:
        """True when the last line has been played; ``last`` is its time."""
        return self._next is None

    def play(self, until: int) -> None:
        """Play every line up to ``until``, that included."""
        while self._next is not None and self._next.t <= until:
            line = self._next
            if isinstance(line, BookLine):
                self._book = line
            else:
                self._keep(line.trade)
            self.last = line.t
            self._next = next(self._lines, None)

    def depth(self, symbol: str, timestamp: int, limit: int | None = None) -> Depth:
        """The book as it stands, stamped ``timestamp``; ``limit`` levels a side."""
        bids, asks = self._book.bids, self._book.asks
        # Checked when it was read: a replay would spend most of its time on checking it again.
        return Depth.model_construct(
            symbol=symbol, timestamp=timestamp, bids=bids[:limit], asks=asks[:limit]
        )

    def trades(self, limit: int = MOST_TRADES) -> tuple[Trade, ...]:
        """The last ``limit`` trades, oldest first."""
        return tuple(self._trades[-limit:])

    def _keep(self, trade: Trade) -> None:
        self._trades.append(trade)
        if len(self._trades) >= 2 * MOST_TRADES:
            del self._trades[:-MOST_TRADES]

    @property
    def price(self) -> Decimal:
        """The last trade's price; the mid before the first one."""
        if self._trades and self._trades[-1].price is not None:
            return self._trades[-1].price
        return (self._book.bids[0].price + self._book.asks[0].price) / 2
