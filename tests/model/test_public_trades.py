"""Public trades as rows, and their numbers."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from execsvc.model.market import Trade
from execsvc.model.public_trades import PublicTrades, RowNumbers, TradeRow

ROW: TradeRow = (1767292988078, "1.50", 2, "buy")
TRADE = Trade(timestamp=1767292988078, price=Decimal("1.50"), amount=Decimal(2), side="buy")


def row(number: int) -> TradeRow:
    return (number, "1", "1", "buy")


def test_public_trades_are_the_trades_of_their_rows() -> None:
    trades = PublicTrades([ROW, (None, None, None, None)])
    assert tuple(trades) == (TRADE, Trade())
    assert (trades[0], trades[-1], trades[:1], len(trades)) == (TRADE, Trade(), (TRADE,), 2)
    assert trades == (TRADE, Trade())
    assert hash(trades) == hash((TRADE, Trade()))


def test_public_trades_of_trades_have_their_rows() -> None:
    trades = PublicTrades.of((TRADE, Trade()))
    assert trades == (TRADE, Trade())
    assert PublicTrades.of(trades) is trades


def test_newest_of_public_trades_is_the_latest_stamp() -> None:
    assert PublicTrades([row(2), row(3), (None, "1", "1", "buy"), row(1)]).newest == 3
    assert PublicTrades([]).newest is None


def test_odd_sides_of_public_trades_are_neither_buy_nor_sell() -> None:
    trades = PublicTrades([ROW, (1, "1", "1", "bid"), (1, "1", "1", None), (1, "1", "1", "")])
    assert trades.odd_sides() == ["bid", ""]


@given(st.lists(st.integers(0, 3)), st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6))))
def test_rows_of_the_same_number_are_equal(stream: list[int], moves: list[tuple[int, int]]) -> None:
    numbers, start = RowNumbers(), 0
    known: dict[int, TradeRow] = {}
    for move, count in moves:
        start += move
        answer = [row(each) for each in stream[start : start + count]]
        last = numbers.first + len(numbers.rows)
        repeated = numbers.follow(answer)
        assert numbers.first + repeated == last
        numbered = dict(enumerate(answer, numbers.first))
        assert all(known[number] == numbered[number] for number in known.keys() & numbered.keys())
        known = numbered


def test_row_that_comes_again_keeps_its_number() -> None:
    numbers = RowNumbers()
    numbers.follow([row(1), row(2), row(2)])
    assert numbers.follow([row(2), row(2), row(3)]) == 2
    assert numbers.first == 1
    assert numbers.follow([row(7)]) == 0
    assert numbers.first == 4
