"""Numbers, rounding, minimum sizes and books."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from execsvc.errors import Unavailable
from execsvc.model.balance import Balance, Holding
from execsvc.model.market import Depth, Limits, Price, Quantity, Ticker, plain, round_down

PRICE: TypeAdapter[Decimal] = TypeAdapter(Price)
QUANTITY: TypeAdapter[Decimal] = TypeAdapter(Quantity)
AMOUNTS = st.decimals("0", "1e12", places=12, allow_nan=False)


@given(AMOUNTS, st.integers(-3, 12))
def test_rounding_is_never_up_and_within_a_step(amount: Decimal, decimals: int) -> None:
    rounded = round_down(amount, decimals)
    step = Decimal(10) ** -decimals
    assert rounded <= amount < rounded + step
    assert rounded % step == 0
    assert round_down(rounded, decimals) == rounded


@given(st.decimals("-1e15", "1e15", allow_nan=False, allow_infinity=False))
def test_plain_digits_are_the_number(value: Decimal) -> None:
    text = plain(value)
    assert Decimal(text) == value
    assert "E" not in text
    assert "." not in text or not text.endswith(("0", "."))


@pytest.mark.parametrize(
    ("given_value", "read"),
    [
        (0.1, "0.1"),
        ("0.10", "0.10"),
        (3, "3"),
        (Decimal("1E-18"), "1E-18"),
        (88162.08, "88162.08"),
        ("8.47e-22", "0"),
        ("-8.47e-22", "0"),
        ("0E+999999999", "0"),
        (0, "0"),
    ],
)
def test_numbers_are_read_exactly(given_value: Any, read: str) -> None:
    assert str(QUANTITY.validate_python(given_value)) == read


@pytest.mark.parametrize(
    "given_value",
    [
        None,
        True,
        False,
        [],
        {},
        "",
        "x",
        "NaN",
        "inf",
        float("nan"),
        float("inf"),
        -1,
        "-1e-9",
        1e300,
        "1e999999999",
        "9" * 5000,
        "0." + "1" * 100,
        b"\xff",
    ],
)
def test_what_is_no_quantity(given_value: Any) -> None:
    with pytest.raises(ValidationError):
        QUANTITY.validate_python(given_value)


@pytest.mark.parametrize("given_value", [0, "0", -1, "1e-30", None, "NaN"])
def test_what_is_no_price(given_value: Any) -> None:
    with pytest.raises(ValidationError):
        PRICE.validate_python(given_value)


@pytest.mark.parametrize(
    ("min_amount", "decimals"),
    [("0.00001", 5), ("0.00005", 5), ("1", 0), ("5", 0), ("10", -1), ("0.1", 1), (None, 8), (0, 8)],
)
def test_the_step_is_the_power_of_ten_at_or_below_the_minimum(
    min_amount: Any, decimals: int
) -> None:
    assert Limits(min_amount=min_amount).decimals == decimals


@pytest.mark.parametrize(
    ("amount", "price", "refused"),
    [
        ("0", "100", True),
        ("-1", "100", True),
        ("0.0099", "1000", True),
        ("0.01", "1000", False),
        ("0.01", "499", True),
        ("0.01", "500", False),
        ("0.01", None, False),
        ("0.0099", None, True),
    ],
)
def test_what_is_below_a_minimum(amount: str, price: str | None, refused: bool) -> None:
    limits = Limits(min_amount=Decimal("0.01"), min_notional=Decimal(5))
    known = None if price is None else Decimal(price)
    assert limits.refuses(Decimal(amount), known) is refused


def test_without_limits_only_nothing_is_refused() -> None:
    assert not Limits().refuses(Decimal("1e-18"), Decimal(1))
    assert Limits().refuses(Decimal(0), Decimal(1))


def test_a_ticker_without_limits_has_none() -> None:
    for members in ({}, {"limits": None}, {"limits": {"min_amount": None}}):
        ticker = Ticker.model_validate({"symbol": "A/B", "price": 1, **members})
        assert ticker.limits == Limits()


def book(bids: list[Any], asks: list[Any]) -> Depth:
    return Depth.model_validate({"symbol": "A/B", "bids": bids, "asks": asks})


def test_a_book() -> None:
    depth = book([[10, 1], [10, 2], [9, 0]], [[11, 1], ["12", "2"]])
    assert (depth.best_bid, depth.best_ask, depth.mid) == (10, 11, Decimal("10.5"))
    assert depth.bids[1].amount == 2


@pytest.mark.parametrize(
    ("bids", "asks"),
    [
        ([], [[11, 1]]),
        ([[10, 1]], []),
        ([[10, 1]], [[10, 1]]),
        ([[12, 1]], [[11, 1]]),
        ([[9, 1], [10, 1]], [[11, 1]]),
        ([[10, 1]], [[12, 1], [11, 1]]),
        ([[10, 0]], [[11, 1]]),
        ([[0, 1]], [[11, 1]]),
        ([[10, -1]], [[11, 1]]),
        ([[10]], [[11, 1]]),
        ([10, 1], [[11, 1]]),
    ],
)
def test_what_is_no_book(bids: list[Any], asks: list[Any]) -> None:
    with pytest.raises(ValidationError):
        book(bids, asks)


def test_a_balance() -> None:
    balance = Balance.model_validate(
        {"assets": [{"asset": "BTC", "free": "0.1", "locked": 0.2}], "totalUsdtValue": "?"}
    )
    assert balance.free("BTC") == Decimal("0.1")
    assert balance.holding("BTC").total == Decimal("0.3")
    assert balance.holding("ETH") == Holding(asset="ETH", free=Decimal(0), locked=Decimal(0))


@pytest.mark.parametrize("assets", [None, [], [{}], ["BTC", None], [{"asset": None}], {"BTC": 1}])
def test_what_is_no_balance(assets: Any) -> None:
    with pytest.raises(ValidationError):
        Balance.model_validate({"assets": assets})


ODD_ROWS = [
    {"asset": "USDC", "free": Decimal("-3.2e-7"), "locked": 0},
    {"asset": "USDC", "free": None},
    {"asset": "PEPE", "free": Decimal("4.2e15"), "locked": Decimal("1e40")},
    {"asset": "ETH"},
    {"asset": None, "free": 1},
    {},
    None,
    "BTC",
    7,
]


@pytest.mark.parametrize("odd", ODD_ROWS)
def test_balance_odd_row_of_another_asset_is_not_looked_at(odd: Any) -> None:
    rows = [odd, {"asset": "BTC", "free": Decimal("0.1"), "locked": 0}, odd]
    balance = Balance.model_validate({"assets": rows})
    assert balance.holding("BTC").total == Decimal("0.1")
    assert balance.free("USDT") == 0


@pytest.mark.parametrize(
    "odd",
    [
        {"free": None, "locked": 0},
        {"free": "?", "locked": 0},
        {"locked": 0},
        {"free": Decimal("-0.01"), "locked": 0},
        {"free": Decimal("4.2e15"), "locked": 0},
        {"free": 1, "locked": -1},
        {"free": 1, "locked": "?"},
    ],
)
def test_balance_odd_row_of_the_asset_asked_for_raises(odd: dict[str, Any]) -> None:
    rows = [{"asset": "BTC", **odd}, {"asset": "BTC", "free": 1, "locked": 0}]
    balance = Balance.model_validate({"assets": rows})
    with pytest.raises(Unavailable, match=r"^GET /balance: balance of BTC: (free|locked): "):
        balance.free("BTC")


def test_balance_asset_listed_twice_is_summed() -> None:
    rows = [{"asset": "BTC", "free": "0.1", "locked": 1}, {"asset": "BTC", "free": 2, "locked": 3}]
    held = Balance.model_validate({"assets": rows}).holding("BTC")
    assert (held.free, held.total) == (Decimal("2.1"), Decimal("6.1"))


@pytest.mark.parametrize("locked", [{}, {"locked": None}])
def test_balance_locked_not_said_leaves_the_total_unknown(locked: dict[str, Any]) -> None:
    row = {"asset": "BTC", "free": 1, **locked}
    held = Balance.model_validate({"assets": [row]}).holding("BTC")
    assert (held.free, held.total) == (1, None)
    twice = Balance.model_validate({"assets": [row, {"asset": "BTC", "free": 1, "locked": 1}]})
    assert (twice.free("BTC"), twice.holding("BTC").total) == (2, None)


def test_balance_negative_rest_of_floats_is_zero() -> None:
    row = {"asset": "BTC", "free": Decimal("-3.2e-7"), "locked": 0}
    assert Balance.model_validate({"assets": [row]}).free("BTC") == 0
