"""The reading of a ccxt order."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execsvc.clients.order_details import FINAL_STATUSES, read_details
from execsvc.errors import OutcomeContradicted, OutcomeUnknown
from execsvc.model.order import Fill, Side

AMOUNT = Decimal("0.00016")


def details(**members: Any) -> dict[str, Any]:
    fee = {"currency": "BTC", "cost": Decimal("1.6e-07")}
    return {
        "id": "1",
        "filled": AMOUNT,
        "average": Decimal("88162.08"),
        "cost": Decimal("14.1059328"),
        "status": "closed",
        "fee": fee,
        "fees": [fee],
        **members,
    }


def read(content: Any, side: Side = Side.BUY) -> Fill:
    return read_details(content, AMOUNT, side, "BTC/USDT")


def test_a_final_fill_with_its_base_fee() -> None:
    fill = read(details())
    assert (fill.filled, fill.base_fee, fill.quote_fee) == (AMOUNT, Decimal("1.6e-07"), 0)
    assert fill.base_change(Side.BUY) == Decimal("0.00015984")
    assert fill.base_change(Side.SELL) == Decimal("-0.00016016")
    assert fill.exchange_id == "1"


@pytest.mark.parametrize(
    ("members", "base_fee", "quote_fee"),
    [
        ({"fee": None, "fees": None}, None, 0),
        ({"fee": None, "fees": []}, None, 0),
        ({"fee": {"currency": None, "cost": None}, "fees": [{}]}, None, 0),
        ({"fee": {"currency": "BTC", "cost": None}}, "1.6e-07", 0),
        ({"fees": [], "fee": {"currency": "USDT", "cost": 2}}, "0", 2),
        (
            {"fees": [{"currency": "BTC", "cost": 1e-6}, {"currency": "BTC", "cost": "2e-6"}]},
            "3e-6",
            0,
        ),
        ({"fees": [{"currency": "BTC", "cost": 1.5e-4}]}, "1.5e-4", 0),
        ({"fees": [{"currency": "BTC", "cost": 1.6e-4}]}, None, 0),
        ({"fees": [{"currency": "BTC", "cost": 14}]}, None, 0),
        ({"fees": [{"currency": "BNB", "cost": 1}]}, None, 0),
        ({"fees": [{"currency": "XBT", "cost": "1.6e-7"}]}, None, 0),
        ({"fees": [{"currency": "BNB", "cost": 1}, {"currency": "USDT", "cost": 1}]}, None, 1),
        ({"fees": [{"currency": "BNB", "cost": 0}, {"currency": "USDT", "cost": 1}]}, "0", 1),
        ({"fees": [{"currency": "BNB", "cost": 0}, {"currency": "btc", "cost": 1e-6}]}, "1e-6", 0),
        ({"fees": [{"currency": "BTC", "cost": 0}]}, None, 0),
        ({"fees": [{"currency": "USDT", "cost": 0}]}, None, 0),
        ({"fees": [{"currency": "BTC", "cost": 0}, {"currency": "USDT", "cost": 2}]}, "0", 2),
        ({"fees": [{"currency": "BTC", "cost": -1}]}, None, 0),
        ({"fees": [{"currency": "BTC", "cost": 1e-6}, {"currency": "USDT", "cost": 4}]}, "1e-6", 4),
        ({"filled": 0, "cost": 0, "status": "canceled", "fee": None, "fees": None}, "0", 0),
    ],
)
def test_read_details_fees_are_by_currency_and_side(
    members: dict[str, Any], base_fee: str | None, quote_fee: int
) -> None:
    fill = read(details(**members))
    assert fill.base_fee == (None if base_fee is None else Decimal(base_fee))
    assert fill.quote_fee == quote_fee


@pytest.mark.parametrize(
    ("fees", "base_fee"),
    [
        ([{"currency": "USDT", "cost": 0}], "0"),
        ([{"currency": "USDT", "cost": 2}], "0"),
        ([{"currency": "BTC", "cost": "1e-6"}], "1e-6"),
        ([{"currency": "XBT", "cost": "1e-6"}], None),
        ([{"currency": None, "cost": "1e-6"}], None),
    ],
)
def test_fee_in_base_of_a_sell_is_open_only_where_it_was_paid_in_another_coin(
    fees: list[dict[str, Any]], base_fee: str | None
) -> None:
    fill = read(details(fees=fees), Side.SELL)
    assert fill.base_fee == (None if base_fee is None else Decimal(base_fee))


def test_fees_in_other_coins_are_added_up() -> None:
    fees = [{"currency": name, "cost": cost} for name, cost in (("bnb", 1), ("BNB", 2), ("X", 0))]
    assert read(details(fees=fees)).other_fees == (("BNB", 3),)
    assert read(details()).other_fees == ()


def test_a_buy_without_a_known_fee_counts_for_its_cautious_end() -> None:
    fill = read(details(fee=None, fees=None))
    assert fill.base_change(Side.BUY) == AMOUNT * Decimal("0.99")
    assert fill.base_change(Side.SELL) == -AMOUNT


@pytest.mark.parametrize(
    ("members", "price"),
    [
        ({}, "88162.08"),
        ({"average": None}, "88162.08"),
        ({"average": 0}, "88162.08"),
        ({"average": None, "cost": None}, None),
        ({"average": None, "cost": 0, "filled": 0, "status": "expired"}, None),
    ],
)
def test_the_price_is_the_average_else_cost_over_filled(
    members: dict[str, Any], price: str | None
) -> None:
    assert read(details(**members)).price == (None if price is None else Decimal(price))


TRADES = [
    {"amount": Decimal("0.0001"), "price": 88000, "fee": {}},
    {"amount": 0.00006, "price": "88400"},
]


@pytest.mark.parametrize(
    ("members", "price", "priced_by"),
    [
        ({}, "88162.08", None),
        ({"average": None}, "88162.08", "its cost"),
        ({"average": None, "trades": TRADES}, "88162.08", "its cost"),
        ({"average": 0, "cost": 0, "trades": TRADES}, "88150", "its trades"),
        ({"average": None, "cost": None, "trades": TRADES[:1]}, None, None),
        ({"average": None, "cost": None, "trades": [*TRADES, TRADES[0]]}, None, None),
        ({"average": None, "cost": None, "trades": [*TRADES, {"amount": None}]}, None, None),
        ({"average": None, "cost": None, "trades": 7}, None, None),
        (
            {"average": None, "cost": None, "filled": 0, "status": "canceled", "trades": []},
            None,
            None,
        ),
    ],
)
def test_price_of_an_order_without_an_average_is_by_its_cost_else_by_its_trades(
    members: dict[str, Any], price: str | None, priced_by: str | None
) -> None:
    fill = read(details(**members))
    assert fill.average == (None if price is None else Decimal(price))
    assert fill.priced_by == priced_by


def test_sell_without_a_reported_fee_pays_none_in_base() -> None:
    assert read(details(fee=None, fees=None), Side.SELL).base_fee == 0


@pytest.mark.parametrize("status", sorted(FINAL_STATUSES))
def test_final_statuses_without_a_fill(status: str) -> None:
    nothing = details(status=status, filled="0", average=None, cost=0)
    if status == "closed":
        with pytest.raises(OutcomeContradicted):
            read(nothing)
    else:
        assert read(nothing).filled == 0
        assert read(nothing).base_fee == 0


QUOTE = {"amount": 14, "filled": 14, "cost": 14, "average": None}
PART = {"filled": "0.00008", "cost": "7.0529664"}


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"amount": "0.000016", "filled": "0.000016", "cost": None}, "amount is 0.000016"),
        ({"amount": "0.000016"}, "amount is 0.000016"),
        ({"amount": "0.00017"}, "amount is 0.00017"),
        (QUOTE, "amount is 14, ordered were 0.00016"),
        ({"filled": 14}, "filled is 14 of 0.00016"),
        ({"amount": "0.00016", **PART}, "filled is 0.00008 of 0.00016, status closed"),
        (PART, "filled is 0.00008 of 0.00016, status closed"),
        ({**PART, "status": "rejected"}, "status rejected"),
        ({"filled": 0, "cost": 0}, "filled is 0 of 0.00016, status closed"),
        ({"filled": 0, "status": "canceled"}, "cost is 14.1059328, filled is 0"),
        ({"cost": "0.00016"}, "cost is 0.00016, filled 0.00016 at an average of 88162.08"),
        ({"average": 1}, "at an average of 1"),
        ({"average": "0.00001"}, "at an average of 0.00001"),
    ],
)
def test_final_order_whose_parts_cannot_all_be_true_is_not_believed(
    members: dict[str, Any], why: str
) -> None:
    with pytest.raises(OutcomeContradicted) as raised:
        read(details(**members))
    assert why in str(raised.value)
    assert raised.value.filled_at_least == "0"


@pytest.mark.parametrize(
    "members",
    [
        {"amount": "0.00016000000000000001", "filled": "0.00015999999999999999"},
        {"amount": "0.00015999999999999999", "filled": "0.00016000000000000001"},
        {"amount": None},
        {"amount": "0.00016", "status": "canceled", **PART},
        {"status": "expired", **PART},
        {"cost": 0},
        {"cost": "14.12"},
        {"average": 88500},
    ],
)
def test_final_order_whose_parts_fit_is_believed(members: dict[str, Any]) -> None:
    fill = read(details(**members))
    assert fill.filled <= AMOUNT
    assert fill.base_fee == Decimal("1.6e-07")


def test_closed_order_of_an_amount_that_the_adapter_has_rounded_waits_for_what_arrives() -> None:
    rounded = {"amount": "0.000159", "filled": "0.000159", "cost": None}
    for side in Side:
        fill = read(details(**rounded), side)
        assert (fill.filled, fill.base_fee) == (Decimal("0.000159"), None)
    assert read(details(**rounded, status="canceled")).base_fee == Decimal("1.6e-07")


@pytest.mark.parametrize(
    ("content", "at_least"),
    [
        (None, "0"),
        ([], "0"),
        ({}, "0"),
        (details(filled=None), "0"),
        (details(filled="x"), "0"),
        (details(filled=True), "0"),
        (details(fee=7), "0"),
        (details(status="open", filled="0.0001"), "0.0001"),
        (details(status="CLOSED"), "0.00016"),
        (details(status=None), "0.00016"),
        (details(filled=1), "0"),
        (details(filled=1, status="open"), "0"),
    ],
)
def test_read_details_order_not_final_is_unknown(content: Any, at_least: str) -> None:
    with pytest.raises(OutcomeUnknown) as raised:
        read(content)
    assert raised.value.filled_at_least == at_least


def test_a_numeric_id_is_taken() -> None:
    assert read(details(id=54762105231)).exchange_id == "54762105231"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(
    ["id", "status", "filled", "amount", "average", "cost", "fee", "fees", "trades"]
)


@given(st.dictionaries(NAMES, JSON))
def test_read_details_any_order_is_a_fill_or_unknown(members: dict[str, Any]) -> None:
    try:
        fill = read(details(**members))
        at_least = fill.filled
    except OutcomeUnknown as unknown:
        at_least = Decimal(unknown.filled_at_least)
    assert 0 <= at_least <= AMOUNT
