"""The largest quantity of an order."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execsvc.errors import OrderRefused
from execsvc.execution.sizing import allowed, buy_amount, sell_amount
from execsvc.model.market import Limits

D = Decimal
LIMITS = Limits(min_notional=D(5), min_amount=D("0.00001"))


def buy(requested: str, quote: str = "10000", cap: str | None = None, held: str = "0") -> Decimal:
    most = None if cap is None else allowed(D(held), D(cap), D(50000))
    return buy_amount(D(requested), D(50000), D(quote), most, 5, LIMITS)


def test_a_buy_is_rounded_down() -> None:
    assert buy("0.0199999") == D("0.01999")


def test_a_buy_leaves_one_percent_of_the_quote() -> None:
    assert buy("1", quote="1000") == D("0.0198")


def test_a_buy_is_capped_by_what_the_bot_may_still_hold() -> None:
    assert buy("1", cap="500") == D("0.01")
    assert buy("1", cap="500", held="0.004") == D("0.006")


@pytest.mark.parametrize(
    ("requested", "quote", "cap", "held"),
    [
        ("0.00009", "10000", None, "0"),
        ("1", "5", None, "0"),
        ("1", "0", None, "0"),
        ("1", "10000", "0", "0"),
        ("1", "10000", "500", "0.01"),
        ("1", "10000", "500", "0.5"),
    ],
)
def test_a_buy_below_the_minimum_is_not_sent(
    requested: str, quote: str, cap: str | None, held: str
) -> None:
    with pytest.raises(OrderRefused, match="below the minimum"):
        buy(requested, quote, cap, held)


def test_at_the_minimum_a_buy_is_sent() -> None:
    assert buy("0.0001") == D("0.0001")


@pytest.mark.parametrize(
    ("asked", "free", "tracked", "sold"),
    [
        ("1", "1", "0.5", "0.5"),
        ("1", "0.3", "0.5", "0.3"),
        ("0.2", "1", "0.5", "0.2"),
        ("1", "0", "0.5", "0"),
        ("1", "0.199999", "0.2", "0.19999"),
        ("1", "0.1999999999999999", "0.2", "0.2"),
    ],
)
def test_a_sell_is_the_least_of_three(asked: str, free: str, tracked: str, sold: str) -> None:
    assert sell_amount(D(asked), D(free), D(tracked), 5) == D(sold)


quantities = st.decimals(0, 10**15, places=18, allow_nan=False)


@given(asked=quantities, free=quantities, tracked=quantities, decimals=st.integers(-9, 18))
def test_a_sell_is_never_more_than_is_tracked(
    asked: Decimal, free: Decimal, tracked: Decimal, decimals: int
) -> None:
    sold = sell_amount(asked, free, tracked, decimals)
    assert 0 <= sold <= tracked
    assert sold <= asked
    assert sold <= free + tracked * D("1e-12")
