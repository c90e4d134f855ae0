"""The price that reaches a stop loss: at its percentage to the last digit, for both sides alone."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execsvc.errors import Unavailable
from execsvc.execution import stop_loss as rule
from execsvc.model.market import Depth, Level
from execsvc.model.position import Position

D = Decimal
BASE = D("0.02")
prices = st.decimals(min_value="0.00000001", max_value="1000000", places=8)
percents = st.decimals(min_value="0.000001", max_value="99.999999", places=6)


def held(entry: str | Decimal | None, short: bool = False) -> Position:
    price = None if entry is None else D(entry)
    if short:
        return Position(sold_short=BASE, entry_price=price)
    return Position(tracked=BASE, entry_price=price)


def book(bid: str, ask: str) -> Depth:
    return Depth(symbol="BTC/USDT", bids=(Level(D(bid), BASE),), asks=(Level(D(ask), BASE),))


@pytest.mark.parametrize(
    ("percent", "price", "reached"),
    [
        ("5", "47500.01", False),
        ("5", "47500", True),
        ("5", "47499.99", True),
        ("5", "50000", False),
        ("5", "60000", False),
        ("0.05", "49975.01", False),
        ("0.05", "49975", True),
        ("99.9", "50.01", False),
        ("99.9", "50", True),
        ("0.000001", "49999.9996", False),
        ("0.000001", "49999.9995", True),
    ],
)
def test_is_reached_of_a_long_position_at_or_below_its_percentage(
    percent: str, price: str, reached: bool
) -> None:
    assert rule.is_reached(D(percent), held("50000"), D(price)) is reached


@pytest.mark.parametrize(
    ("percent", "price", "reached"),
    [
        ("5", "52499.99", False),
        ("5", "52500", True),
        ("5", "60000", True),
        ("5", "50000", False),
        ("5", "40000", False),
        ("99.9", "99949.99", False),
        ("99.9", "99950", True),
    ],
)
def test_is_reached_of_a_short_position_at_or_above_its_percentage(
    percent: str, price: str, reached: bool
) -> None:
    assert rule.is_reached(D(percent), held("50000", short=True), D(price)) is reached


@given(prices, prices, percents, st.booleans())
def test_is_reached_is_exact_for_all_numbers(
    entry: Decimal, price: Decimal, percent: Decimal, short: bool
) -> None:
    part = Fraction(percent) / 100
    threshold = Fraction(entry) * (1 + part if short else 1 - part)
    beyond = Fraction(price) >= threshold if short else Fraction(price) <= threshold
    assert rule.is_reached(percent, held(entry, short), price) is beyond


@given(st.lists(prices, min_size=1, max_size=30), prices, percents, st.booleans())
def test_first_price_that_is_reached_is_the_first_at_or_beyond_the_threshold(
    seen: list[Decimal], entry: Decimal, percent: Decimal, short: bool
) -> None:
    part = Fraction(percent) / 100
    threshold = Fraction(entry) * (1 + part if short else 1 - part)
    position = held(entry, short)
    sold = [rule.is_reached(percent, position, price) for price in seen]
    for price, is_sold in zip(seen, sold, strict=True):
        lost = Fraction(price) - threshold if short else threshold - Fraction(price)
        assert (lost >= 0) is is_sold, "never before the threshold, always from it on"


def test_exit_price_is_the_side_that_an_order_trades_on() -> None:
    market = book("49990", "50010")
    assert rule.exit_price(held("50000"), market) == 49990
    assert rule.exit_price(held("50000", short=True), market) == 50010


@pytest.mark.parametrize(("bid", "implausible"), [("24999", True), ("25000", False)])
def test_is_implausible_of_a_bid_below_half_of_the_ask(bid: str, implausible: bool) -> None:
    # At 60 % both thresholds are far away: the width of the book alone decides.
    assert rule.is_implausible(D(60), held("50000"), book(bid, "50000")) is implausible
    assert rule.is_implausible(D(60), held("50000", short=True), book(bid, "50000")) is implausible


def test_unknown_entry_price_is_never_zero() -> None:
    for short in (False, True):
        with pytest.raises(Unavailable, match="entry price"):
            rule.is_reached(D(5), held(None, short), D(1))


@pytest.mark.parametrize(
    ("short", "price", "implausible"),
    [
        (False, "23750", False),
        (False, "23749.99", True),
        (False, "500", True),
        (True, "105000", False),
        (True, "105000.01", True),
        (True, "5000000", True),
    ],
)
def test_is_implausible_beyond_twice_the_threshold(
    short: bool, price: str, implausible: bool
) -> None:
    # The price is that of the side on which the position is closed.
    bid, ask = (str(D(price) - 1), price) if short else (price, str(D(price) + 1))
    assert rule.is_implausible(D(5), held("50000", short), book(bid, ask)) is implausible


def test_reason_says_rule_price_and_entry() -> None:
    long, short = held("50000.123456789"), held("50000", short=True)
    assert (
        rule.reason(D("5.0"), long, D("47400"))
        == "stop loss 5 %: 47400 is 5.2 % below the entry price of 50000.12345678"
    )
    assert (
        rule.reason(D(5), short, D("52500"))
        == "stop loss 5 %: 52500 is 5 % above the entry price of 50000"
    )
