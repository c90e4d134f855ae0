"""The outcome of an order by two balances: every rule of settlement at its edge."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execsvc.execution.settlement.decision import (
    SettlementDecision,
    SettlementFinding,
    base_noise,
    contested,
    decide,
)
from execsvc.model.market import exact_sum
from execsvc.model.order import Intent, Side
from execsvc.model.position import Position

D = Decimal
AT = datetime(2026, 1, 1, tzinfo=timezone.utc)
BASE, QUOTE = D(1), D(10000)
PRICE = D(50000)
AMOUNT = D("0.02")


def intent(
    side: Side = Side.BUY, amount: Decimal = AMOUNT, price: Decimal | None = PRICE
) -> Intent:
    return Intent(
        client_order_id="c",
        bot_id="b",
        key_id="k",
        symbol="BTC/USDT",
        side=side,
        amount=amount,
        reason="test",
        price=price,
        baseline_base=BASE,
        baseline_quote=QUOTE,
        created_at=AT,
    )


def moved(of: Intent, base: str, quote: str, at_least: str = "0") -> SettlementDecision:
    """The decision when base and quote moved by so much from the baseline."""
    return decide(of, BASE + D(base), QUOTE + D(quote), D(at_least))


BUYS = [
    ("0", "0", SettlementFinding.NONE),
    ("0.000000001", "-0.0001", SettlementFinding.NONE),
    ("0.02", "-1000", SettlementFinding.FULL),
    ("0.0198", "-1000", SettlementFinding.FULL),
    ("0.0197", "-1000", SettlementFinding.PARTLY),
    ("0.02", "-980", SettlementFinding.FULL),
    ("0.02", "-979.99", SettlementFinding.CONTESTED),
    ("0.02", "-1020", SettlementFinding.FULL),
    ("0.02", "-1020.01", SettlementFinding.CONTESTED),
    ("0.02", "1000", SettlementFinding.CONTESTED),
    ("0.0201", "-1005", SettlementFinding.CONTESTED),
    ("0.01", "-500", SettlementFinding.PARTLY),
    ("0.01", "-515.15", SettlementFinding.PARTLY),
    ("0.01", "-515.16", SettlementFinding.CONTESTED),
    ("0.01", "-490", SettlementFinding.PARTLY),
    ("0.01", "-489.99", SettlementFinding.CONTESTED),
    ("0.01", "0", SettlementFinding.CONTESTED),
    ("0", "-500", SettlementFinding.CONTESTED),
    ("-0.02", "1000", SettlementFinding.CONTESTED),
]
SELLS = [
    ("0", "0", SettlementFinding.NONE),
    ("-0.02", "1000", SettlementFinding.FULL),
    ("-0.02", "980", SettlementFinding.FULL),
    ("-0.02", "979.99", SettlementFinding.CONTESTED),
    ("-0.02", "1020", SettlementFinding.FULL),
    ("-0.02", "1020.01", SettlementFinding.CONTESTED),
    ("-0.0199", "995", SettlementFinding.PARTLY),
    ("-0.01", "510", SettlementFinding.PARTLY),
    ("-0.01", "510.01", SettlementFinding.CONTESTED),
    ("-0.01", "-500", SettlementFinding.CONTESTED),
    ("-0.0201", "1005", SettlementFinding.CONTESTED),
    ("0.02", "-1000", SettlementFinding.CONTESTED),
]


@pytest.mark.parametrize(("base", "quote", "finding"), BUYS)
def test_a_buy(base: str, quote: str, finding: SettlementFinding) -> None:
    assert moved(intent(), base, quote).finding is finding


@pytest.mark.parametrize(("base", "quote", "finding"), SELLS)
def test_a_sell(base: str, quote: str, finding: SettlementFinding) -> None:
    assert moved(intent(Side.SELL), base, quote).finding is finding


def test_a_full_buy_tracks_what_arrived() -> None:
    fill = moved(intent(), "0.01998", "-1000").fill
    assert (fill.filled, fill.base_fee) == (AMOUNT, D("0.00002"))
    assert fill.base_change(Side.BUY) == D("0.01998")
    assert fill.average == PRICE


def test_a_part_is_what_moved() -> None:
    assert moved(intent(), "0.00999", "-500").fill.base_change(Side.BUY) == D("0.00999")
    assert moved(intent(Side.SELL), "-0.01", "500").fill.base_change(Side.SELL) == D("-0.01")


def test_what_the_exchange_said_was_filled_is_a_lower_bound() -> None:
    assert moved(intent(), "0", "0", at_least="0.01").finding is SettlementFinding.CONTESTED
    assert moved(intent(), "0.0099", "-500", at_least="0.01").finding is SettlementFinding.PARTLY
    assert moved(intent(), "0.0098", "-495", at_least="0.01").finding is SettlementFinding.CONTESTED
    assert (
        moved(intent(Side.SELL), "-0.01", "500", at_least="0.01").finding
        is SettlementFinding.PARTLY
    )
    assert moved(intent(Side.SELL), "-0.0099", "495", "0.01").finding is SettlementFinding.CONTESTED
    assert moved(intent(), "0.01998", "-1000", at_least="0.02").finding is SettlementFinding.FULL


def test_without_a_price_only_the_direction_of_the_quote_counts() -> None:
    sell = intent(Side.SELL, price=None)
    assert moved(sell, "-0.02", "3").finding is SettlementFinding.FULL
    assert moved(sell, "-0.01", "3").finding is SettlementFinding.PARTLY
    assert moved(sell, "-0.02", "0").finding is SettlementFinding.CONTESTED
    assert moved(sell, "-0.02", "-1").finding is SettlementFinding.CONTESTED
    assert moved(sell, "0", "0").finding is SettlementFinding.NONE


@pytest.mark.parametrize(
    ("base", "quote", "booked"),
    [
        ("0.03", "-1500", "0.02"),
        ("0.03", "-500", "0.01"),
        ("0.01", "-1500", "0.01"),
        ("0.02", "1000", "0"),
        ("-0.02", "-1000", "0"),
        ("0.02", "0", "0"),
    ],
)
def test_a_contested_buy_is_what_base_and_quote_both_support(
    base: str, quote: str, booked: str
) -> None:
    fill = contested(intent(), BASE + D(base), QUOTE + D(quote)).fill
    assert fill.base_change(Side.BUY) == D(booked)


@pytest.mark.parametrize(("base", "quote"), [("0", "0"), ("-0.01", "500"), ("0.5", "-9000")])
def test_a_contested_sell_is_booked_as_executed(base: str, quote: str) -> None:
    decision = contested(intent(Side.SELL), BASE + D(base), QUOTE + D(quote))
    assert decision.finding is SettlementFinding.CONTESTED
    assert decision.fill.base_change(Side.SELL) == -AMOUNT


@pytest.mark.parametrize("amount", ["1e-9", "1e-12", "1e-18", "1e15"])
def test_an_order_is_never_mistaken_for_noise(amount: str) -> None:
    price = PRICE if D(amount) < 1 else 1 / PRICE
    quote = D(10) ** 15
    bare = {"baseline_base": D(0), "baseline_quote": quote if D(amount) > 1 else D(1)}
    order = intent(amount=D(amount), price=price).model_copy(update=bare)
    assert base_noise(order) < D(amount) / 100
    paid = exact_sum(order.baseline_quote, -order.amount * price)
    found = decide(order, order.amount, paid)
    assert found.finding in (SettlementFinding.FULL, SettlementFinding.PARTLY)
    assert found.fill.base_change(Side.BUY) == order.amount


def test_a_price_beyond_belief_does_not_end_settlement() -> None:
    tiny = intent(Side.SELL, amount=D("1e-9"), price=None)
    decision = decide(tiny, BASE - tiny.amount, QUOTE + 10**14)
    assert decision.finding is SettlementFinding.FULL
    assert decision.fill.average is None


amounts = st.decimals("0.000001", 1000, places=6, allow_nan=False)
shown = st.decimals(-2000, 2000, places=8, allow_nan=False)


@given(amount=amounts, base=shown, quote=shown, at_least=amounts, priced=st.booleans())
def test_a_buy_never_books_more_than_came_in(
    amount: Decimal, base: Decimal, quote: Decimal, at_least: Decimal, priced: bool
) -> None:
    order = intent(amount=amount, price=PRICE if priced else None)
    decision = decide(order, BASE + base, QUOTE + quote, min(at_least, amount))
    tracked = Position().after(Side.BUY, decision.fill, AT).tracked
    assert tracked <= max(base, D(0)) + base_noise(order)
    assert tracked <= amount


@given(amount=amounts, base=shown, quote=shown, at_least=amounts, more=amounts)
def test_after_a_sell_no_more_can_be_sold_than_was_not(
    amount: Decimal, base: Decimal, quote: Decimal, at_least: Decimal, more: Decimal
) -> None:
    """The quantity tracked afterwards and the one that went out never exceed the one tracked before."""
    order = intent(Side.SELL, amount=amount)
    decision = decide(order, BASE + base, QUOTE + quote, min(at_least, amount))
    before = Position(tracked=amount + more)
    after = before.after(Side.SELL, decision.fill, AT).tracked
    went_out = min(max(-base, D(0)), amount)
    assert after + went_out <= before.tracked + base_noise(order)
    assert after >= more - base_noise(order)
