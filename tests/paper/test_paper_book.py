from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from execsvc.model.market import Depth, Level
from execsvc.model.order import Side
from execsvc.paper.trading import walk

AMOUNTS = st.decimals("0.00001", "1000", places=5)
GAPS = st.decimals("0.01", "50", places=2)


@st.composite
def books(draw: st.DrawFn) -> Depth:
    mid = draw(st.decimals("10000", "90000", places=2))

    def levels(sign: int) -> tuple[Level, ...]:
        price, found = mid, []
        for gap in draw(st.lists(GAPS, min_size=1, max_size=12)):
            price += sign * gap
            found.append(Level(price, draw(AMOUNTS)))
        return tuple(found)

    return Depth(symbol="BTC/USDT", bids=levels(-1), asks=levels(1))


THREE = Depth(
    symbol="BTC/USDT",
    bids=(Level(Decimal(99), Decimal(1)), Level(Decimal(98), Decimal(2))),
    asks=(Level(Decimal(100), Decimal(1)), Level(Decimal(102), Decimal(2))),
)


def test_a_buy_takes_the_asks_best_first() -> None:
    assert walk(THREE, Side.BUY, Decimal("1.5")) == (Decimal("1.5"), Decimal(151))


def test_a_sell_takes_the_bids_best_first() -> None:
    assert walk(THREE, Side.SELL, Decimal("1.5")) == (Decimal("1.5"), Decimal(148))


def test_a_thin_book_fills_what_it_has() -> None:
    assert walk(THREE, Side.BUY, Decimal(50)) == (Decimal(3), Decimal(304))


def test_nothing_costs_nothing() -> None:
    assert walk(THREE, Side.SELL, Decimal(0)) == (Decimal(0), Decimal(0))


@given(books(), st.sampled_from(Side), AMOUNTS)
def test_never_better_than_the_best_price_and_never_more_than_the_book(
    depth: Depth, side: Side, amount: Decimal
) -> None:
    filled, cost = walk(depth, side, amount)
    levels = depth.asks if side is Side.BUY else depth.bids
    assert filled == min(amount, sum(level.amount for level in levels))
    assert side.sign * cost >= side.sign * filled * levels[0].price
    assert side.sign * cost <= side.sign * filled * levels[-1].price


@given(books(), st.sampled_from(Side), AMOUNTS, AMOUNTS)
def test_more_costs_more_and_never_a_better_average(
    depth: Depth, side: Side, one: Decimal, other: Decimal
) -> None:
    small, large = walk(depth, side, min(one, other)), walk(depth, side, max(one, other))
    assert small.cost <= large.cost
    averages = [Fraction(found.cost) / Fraction(found.filled) for found in (small, large)]
    assert side.sign * averages[0] <= side.sign * averages[1]


@given(books(), st.sampled_from(Side), AMOUNTS)
def test_the_cost_is_exact(depth: Depth, side: Side, amount: Decimal) -> None:
    left, cost = Fraction(amount), Fraction(0)
    for level in depth.asks if side is Side.BUY else depth.bids:
        taken = min(left, Fraction(level.amount))
        left, cost = left - taken, cost + taken * Fraction(level.price)
    assert Fraction(walk(depth, side, amount).cost) == cost
