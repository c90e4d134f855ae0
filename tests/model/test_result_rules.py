"""Realised profit and loss: every kind of order, and what holds whatever the orders are."""

from __future__ import annotations

from datetime import date, datetime, timezone
from decimal import Decimal
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execsvc.model.order import Fill, Side
from execsvc.model.position import Position
from execsvc.model.result import Basis, Effect, Result, unknown

D = Decimal
AT = datetime(2026, 1, 1, tzinfo=timezone.utc)
BUY, SELL = Side.BUY, Side.SELL


class Order(NamedTuple):
    side: Side
    filled: str
    price: str | None
    base_fee: str = "0"
    quote_fee: str = "0"
    short: bool = False

    @property
    def fill(self) -> Fill:
        return Fill(
            filled=D(self.filled),
            average=None if self.price is None else D(self.price),
            base_fee=D(self.base_fee),
            quote_fee=D(self.quote_fee),
        )


def booked(basis: Basis, *orders: Order) -> tuple[Basis, Decimal]:
    """The basis after ``orders``, and what they realised."""
    realised = D(0)
    for order in orders:
        basis, effect = basis.after(order.side, order.fill, None, order.short)
        realised += effect.realised
    return basis, realised


@pytest.mark.parametrize(
    ("orders", "realised", "cost"),
    [
        ([Order(BUY, "2", "100")], "0", "200"),
        ([Order(BUY, "2", "100", quote_fee="0.2")], "-0.2", "200"),
        ([Order(BUY, "2", "100", base_fee="0.01")], "-1", "199"),
        ([Order(BUY, "2", "100"), Order(SELL, "2", "110")], "20", "0"),
        ([Order(BUY, "2", "100"), Order(SELL, "2", "110", quote_fee="0.3")], "19.7", "0"),
        ([Order(BUY, "2", "100"), Order(SELL, "0.5", "90")], "-5", "150"),
        ([Order(BUY, "1", "100"), Order(BUY, "1", "200"), Order(SELL, "1", "150")], "0", "150"),
        # A fee in base is paid twice over: at the buy as coins that never came …
        ([Order(BUY, "1", "100", base_fee="0.1"), Order(SELL, "0.9", "100")], "-10", "0"),
        # … and at a sale as coins that went for nothing.
        ([Order(BUY, "1", "100"), Order(SELL, "0.9", "100", base_fee="0.1")], "-10", "0"),
        ([Order(BUY, "0", "100", quote_fee="7")], "0", "0"),
        # The part above the position is coins of the user, sold at their price.
        ([Order(BUY, "1", "100"), Order(SELL, "2", "110")], "10", "0"),
        ([Order(SELL, "2", "110", quote_fee="1")], "-1", "0"),
    ],
)
def test_buys_and_sells(orders: list[Order], realised: str, cost: str) -> None:
    basis, earned = booked(Basis(), *orders)
    assert (earned, basis.cost) == (D(realised), D(cost))


@pytest.mark.parametrize(
    ("orders", "realised", "proceeds"),
    [
        ([Order(SELL, "2", "100", short=True)], "0", "200"),
        ([Order(SELL, "2", "100", "0.01", "0.2", True)], "-1.2", "200"),
        ([Order(SELL, "2", "100", short=True), Order(BUY, "2", "90", short=True)], "20", "0"),
        ([Order(SELL, "2", "100", short=True), Order(BUY, "1", "110", short=True)], "-10", "100"),
        # A short that is bought back is net of nothing: the fee in base is missing from the user's coins.
        (
            [Order(SELL, "2", "100", short=True), Order(BUY, "2", "90", "0.1", "1", True)],
            "10",
            "0",
        ),
        # More than was sold is bought for the user, at its price.
        ([Order(SELL, "1", "100", short=True), Order(BUY, "2", "90", short=True)], "10", "0"),
    ],
)
def test_short_round_trips(orders: list[Order], realised: str, proceeds: str) -> None:
    basis, earned = booked(Basis(), *orders)
    assert (earned, basis.proceeds) == (D(realised), D(proceeds))


def test_a_fill_without_a_price_is_worth_what_the_ticker_said() -> None:
    basis, effect = Basis().after(BUY, Order(BUY, "2", None).fill, D(100), False)
    assert basis.cost == 200
    _, effect = basis.after(SELL, Order(SELL, "2", None, quote_fee="1").fill, D(110), False)
    assert effect.realised == 19


def test_without_any_price_only_the_fee_is_known() -> None:
    held = Basis(tracked=D(2), cost=D(200))
    basis, effect = held.after(SELL, Order(SELL, "1", None, quote_fee="1").fill, None, False)
    assert (effect, basis.cost) == (Effect(D(-1), D(-100), D(0)), 100)
    bought, effect = Basis().after(BUY, Order(BUY, "1", None, quote_fee="1").fill, None, False)
    assert (effect.realised, bought) == (-1, Basis(tracked=D(1)))
    _, effect = bought.after(SELL, Order(SELL, "1", "100").fill, None, False)
    assert effect.realised == 0, "what nobody knows the cost of realises nothing"


def test_the_cost_of_an_answer_counts_before_its_average() -> None:
    fill = Fill(filled=D(3), average=D("33.33"), cost=D(100))
    assert Basis().after(BUY, fill, None, False)[0].cost == 100


def test_what_leaves_without_an_order_leaves_at_cost() -> None:
    held = Basis(tracked=D(4), cost=D(400), sold_short=D(2), proceeds=D(300))
    left = held.at(Position(tracked=D(3)))
    assert left == Basis(tracked=D(3), cost=D(300))
    assert held.at(Position()) == Basis()


def test_what_an_older_version_booked_cost_its_entry_price() -> None:
    position = Position(tracked=D(2), entry_price=D(100))
    assert Basis().at(position) == Basis(tracked=D(2), cost=D(200))
    assert Basis(tracked=D(1), cost=D(50)).at(position) == Basis(tracked=D(2), cost=D(150))
    short = Position(sold_short=D(2), entry_price=D(100))
    assert Basis().at(short) == Basis(sold_short=D(2), proceeds=D(200))
    assert Basis().at(Position(tracked=D(2))) == Basis(tracked=D(2))


def test_a_day_that_is_over_is_not_today() -> None:
    result = Result(currency="USDT", realised=D("-1e-12"), today=D("2.50"), day=date(2026, 1, 1))
    assert result.shown(date(2026, 1, 1)) == {"currency": "USDT", "realised": "0", "today": "2.5"}
    assert result.shown(date(2026, 1, 2))["today"] == "0"
    assert unknown("USDT") == {"currency": "USDT", "realised": None, "today": None}


amounts = st.decimals("0.00000001", 1000, places=8).filter(lambda a: a > 0)
prices = st.decimals("0.0001", 100_000, places=4)
parts = st.decimals(0, "0.01", places=4)
steps = st.tuples(st.sampled_from(["in", "out"]), amounts, prices, parts, parts)
NEARLY = D("1e-12")


@given(st.lists(steps, max_size=12), st.booleans())
def test_realised_and_what_is_held_at_cost_add_up_to_the_cash_flow(
    made: list[tuple[str, Decimal, Decimal, Decimal, Decimal]], short: bool
) -> None:
    """Of a short, fees in base are paid with the user's coins: at the price of their fill."""
    position, basis, realised, cash = Position(), Basis(), D(0), D(0)
    for way, amount, price, base_part, quote_part in made:
        side = BUY if (way == "in") != short else SELL
        held = position.sold_short if short else position.tracked
        filled = amount if way == "in" else min(amount, held / (1 + base_part))
        if filled <= 0:
            continue
        fill = Fill(
            filled=filled,
            average=price,
            cost=filled * price,
            base_fee=filled * base_part,
            quote_fee=filled * price * quote_part,
        )
        basis, effect = basis.after(side, fill, None, short)
        position = position.after(side, fill, AT, short)
        realised += effect.realised
        assert fill.cost is not None
        cash += -side.sign * fill.cost - fill.quote_fee
        if short:
            cash -= (fill.base_fee or D(0)) * price
        assert abs(basis.tracked - position.tracked) < NEARLY
        assert basis.sold_short == position.sold_short
    open_at_cost = basis.proceeds if short else -basis.cost
    assert abs(realised + open_at_cost - cash) < NEARLY


@given(st.lists(st.tuples(amounts, prices), min_size=1, max_size=6), st.randoms())
def test_the_order_of_partial_fills_does_not_matter(
    fills: list[tuple[Decimal, Decimal]], random: object
) -> None:
    whole = sum((amount for amount, _ in fills), D(0))
    held = Basis(tracked=whole, cost=whole * 7)
    shuffled = list(fills)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    for side, start in ((BUY, Basis()), (SELL, held)):
        ways = [
            booked(start, *[Order(side, f"{a:f}", f"{p:f}") for a, p in each])
            for each in (fills, shuffled)
        ]
        assert abs(ways[0][1] - ways[1][1]) < NEARLY
        assert abs(ways[0][0].cost - ways[1][0].cost) < NEARLY


@given(steps, steps, steps)
def test_what_is_undone_was_never_there(
    first: tuple[str, Decimal, Decimal, Decimal, Decimal],
    wrong: tuple[str, Decimal, Decimal, Decimal, Decimal],
    right: tuple[str, Decimal, Decimal, Decimal, Decimal],
) -> None:
    before = Basis(tracked=D(3000), cost=first[2] * 3000)
    side = BUY if wrong[0] == "in" else SELL
    fills = [Order(side, f"{made[1]:f}", f"{made[2]:f}").fill for made in (wrong, right)]
    after, effect = before.after(side, fills[0], None, False)
    assert after.without(side, fills[0], effect, False) == before
    corrected, _ = after.without(side, fills[0], effect, False).after(side, fills[1], None, False)
    assert corrected == before.after(side, fills[1], None, False)[0]
