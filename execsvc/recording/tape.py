"""A recording as it is played: the market as known at a moment, and nothing later."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from execsvc.model.market import Depth
from execsvc.model.public_trades import PublicTrades, TradeRow
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
        self._rows: list[TradeRow] = []
        self._dropped = 0
        """Trades that were played and are not kept any more."""
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
                self._keep(line.row)
            self.last = line.t
            self._next = next(self._lines, None)

    def depth(self, symbol: str, timestamp: int, limit: int | None = None) -> Depth:
        """The book as it stands, stamped ``timestamp``; ``limit`` levels a side."""
        bids, asks = self._book.bids, self._book.asks
        # Checked when it was read: a replay would spend most of its time on checking it again.
        return Depth.model_construct(
            symbol=symbol, timestamp=timestamp, bids=bids[:limit], asks=asks[:limit]
        )

    def trades(self, limit: int = MOST_TRADES) -> PublicTrades:
        """The last ``limit`` trades, oldest first."""
        rows = self._rows[-limit:]
        first = self._dropped + len(self._rows) - len(rows)
        return PublicTrades(rows, self, first, rows[-1][0] if rows else None)

    def _keep(self, row: TradeRow) -> None:
        self._rows.append(row)
        if len(self._rows) >= 2 * MOST_TRADES:
            self._dropped += len(self._rows) - MOST_TRADES
            del self._rows[:-MOST_TRADES]

    @property
    def price(self) -> Decimal:
        """The last trade's price; the mid before the first one."""
        if self._rows:
            price = self._rows[-1][1]
            assert isinstance(price, Decimal), "a trade of a recording has its price"
            return price
        return self.mid

    @property
    def mid(self) -> Decimal:
        """Half way between best bid and best ask."""
        return (self._book.bids[0].price + self._book.asks[0].price) / 2
