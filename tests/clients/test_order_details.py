"""How a ccxt order is read."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execsvc.clients.order_details import FINAL_STATUSES, read_details
from execsvc.errors import OutcomeUnknown
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
        ({"fees": [{"currency": "BNB", "cost": 1}]}, "0", 0),
        ({"fees": [{"currency": "BTC", "cost": -1}]}, None, 0),
        ({"fees": [{"currency": "BTC", "cost": 1e-6}, {"currency": "USDT", "cost": 4}]}, "1e-6", 4),
        ({"filled": 0, "fee": None, "fees": None}, "0", 0),
    ],
)
def test_fees(members: dict[str, Any], base_fee: str | None, quote_fee: int) -> None:
    fill = read(details(**members))
    assert fill.base_fee == (None if base_fee is None else Decimal(base_fee))
    assert fill.quote_fee == quote_fee


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
        ({"average": None, "cost": 0, "filled": 0}, None),
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
        ({"average": None, "cost": None, "filled": 0, "trades": []}, None, None),
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
def test_final_statuses_with_any_filled(status: str) -> None:
    assert read(details(status=status, filled="0")).filled == 0


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
        (details(filled=1), "0.00016"),
    ],
)
def test_what_is_not_final_is_unknown(content: Any, at_least: str) -> None:
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
def test_whatever_comes_is_a_fill_or_unknown(members: dict[str, Any]) -> None:
    try:
        fill = read(details(**members))
        at_least = fill.filled
    except OutcomeUnknown as unknown:
        at_least = Decimal(unknown.filled_at_least)
    assert 0 <= at_least <= AMOUNT
