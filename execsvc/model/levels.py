"""One side of a book as rows, of which a level is made only when it is touched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import overload

from execsvc.model.market import Level
from execsvc.model.public_trades import decimal_of


class LevelRows(Sequence[Level]):
    """The levels of one side, best first. Immutable; rows begin with price and amount, checked."""

    __slots__ = ("_made", "rows")

    def __init__(self, rows: Sequence[Sequence[Decimal | int | str]]) -> None:
        self.rows = rows
        self._made: tuple[Level, ...] | None = None

    @overload
    def __getitem__(self, index: int) -> Level: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Level, ...]: ...

    def __getitem__(self, index: int | slice) -> Level | tuple[Level, ...]:
        if self._made is not None:
            return self._made[index]
        if isinstance(index, slice):
            return tuple([_level(row) for row in self.rows[index]])
        return _level(self.rows[index])

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Level]:
        if self._made is None:
            self._made = tuple([_level(row) for row in self.rows])
        return iter(self._made)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, (LevelRows, tuple)):
            return NotImplemented
        return tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"LevelRows({tuple(self)!r})"


def _level(row: Sequence[Decimal | int | str]) -> Level:
    return Level(decimal_of(row[0]), decimal_of(row[1]))
