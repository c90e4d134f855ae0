"""Public trades as rows, of which a trade is made only when it is touched.

A strategy reads the last two hundred trades at every tick, and nearly all of them again and again. Rows
are numbered, so that whoever follows a market computes only with those that are new.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from operator import itemgetter
from typing import overload

from execsvc.model.market import Trade

USUAL_SIDES = frozenset({"buy", "sell"})
_STAMP, _SIDE = itemgetter(0), itemgetter(3)

Number = Decimal | int | str | None
"""A number that was checked, as a Decimal or as it was written; None where it is not known."""


TradeRow = tuple[int | None, Number, Number, str | None]
"""One checked trade: stamp in ms since the epoch, price, amount, the taker's side."""


class PublicTrades(Sequence[Trade]):
    """Public trades, oldest first. Immutable.

    ``first`` is the number of the first row: of two sequences of one
    ``source``, rows of the same number are equal, and a row that the later one does not have is over.
    """

    __slots__ = ("_made", "_newest", "first", "rows", "source")

    def __init__(
        self,
        rows: Sequence[TradeRow],
        source: object = None,
        first: int = 0,
        newest: int | None = None,
    ) -> None:
        """``newest``: the latest stamp where it is known already; it is looked for otherwise.

        Without a ``source`` the sequence has nothing in common with any other.
        """
        self.rows = rows
        self.source = self if source is None else source
        self.first = first
        self._newest = newest
        self._made: tuple[Trade, ...] | None = None

    @classmethod
    def of(cls, trades: Sequence[Trade]) -> PublicTrades:
        """``trades`` themselves where they are rows already, else the rows of them."""
        if isinstance(trades, PublicTrades):
            return trades
        return cls([(each.timestamp, each.price, each.amount, each.side) for each in trades])

    @property
    def newest(self) -> int | None:
        """The latest stamp, in ms since the epoch; None without any."""
        if self._newest is None:
            stamps = map(_STAMP, self.rows)
            self._newest = max((stamp for stamp in stamps if stamp is not None), default=None)
        return self._newest

    def odd_sides(self) -> list[str]:
        """The sides that are neither ``buy`` nor ``sell``: trades that cannot be used."""
        found = set(map(_SIDE, self.rows))
        if found <= USUAL_SIDES:
            return []
        return [row[3] for row in self.rows if row[3] is not None and row[3] not in USUAL_SIDES]

    @overload
    def __getitem__(self, index: int) -> Trade: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Trade, ...]: ...

    def __getitem__(self, index: int | slice) -> Trade | tuple[Trade, ...]:
        if self._made is not None:
            return self._made[index]
        if isinstance(index, slice):
            return tuple([_trade(row) for row in self.rows[index]])
        return _trade(self.rows[index])

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Trade]:
        if self._made is None:
            self._made = tuple([_trade(row) for row in self.rows])
        return iter(self._made)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, (PublicTrades, tuple)):
            return NotImplemented
        return tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"PublicTrades({tuple(self)!r})"


def decimal_of(number: Decimal | int | str) -> Decimal:
    """A checked number of a row."""
    return number if type(number) is Decimal else Decimal(number)


class RowNumbers:
    """Numbers the rows of successive answers about one market: a row that comes again keeps its number."""

    def __init__(self) -> None:
        self.rows: list[TradeRow] = []
        self.first = 0
        """The number of the first row of the last answer."""

    def overlap(self, rows: list[TradeRow]) -> int:
        """The number of rows of the next answer that the last one ended with.

        The answer begins with what is left of the last one; where it does not, every row is new.
        """
        before, start = self.rows, 0
        while rows:
            try:
                start = before.index(rows[0], start)
            except ValueError:
                break
            known = len(before) - start
            if before[start:] == rows[:known]:
                return known
            start += 1
        return 0

    def follow(self, rows: list[TradeRow]) -> int:
        """Number the rows of the next answer, and return how many of them the last one had."""
        known = self.overlap(rows)
        self.first += len(self.rows) - known
        self.rows = rows
        return known


def _trade(row: TradeRow) -> Trade:
    stamp, price, amount, side = row
    # Checked when it was read.
    return Trade.model_construct(
        timestamp=stamp,
        price=None if price is None else decimal_of(price),
        amount=None if amount is None else decimal_of(amount),
        side=side,
    )
