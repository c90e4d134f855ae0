"""Positions that an account does not hold any more, told from whatever else its user does."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execsvc.model.comparison import Discrepancy, OpenPosition, compare

D = Decimal
HELD = OpenPosition("b1", "BTC/USDT", D("0.01998"), D(50000))
OTHER = OpenPosition("b2", "BTC/USDT", D("0.05"), D(49000))
ETHER = OpenPosition("b3", "ETH/USDT", D(2), D(3000))
EXPECTED = {"BTC": D("1.06998"), "ETH": D(2), "USDT": D(1000)}
PRICES = {"BTC/USDT": D(50000), "ETH/USDT": D(3100)}


def found(less: dict[str, str], *positions: OpenPosition) -> dict[str, str]:
    actual = {asset: amount - D(less.get(asset, "0")) for asset, amount in EXPECTED.items()}
    discrepancies = compare(positions or (HELD, OTHER, ETHER), EXPECTED, actual, PRICES)
    return {position.bot_id: discrepancy.value for position, discrepancy in discrepancies.items()}


@pytest.mark.parametrize(
    ("less", "discrepancies"),
    [
        ({}, {}),
        ({"BTC": "0.01998", "USDT": "-999"}, {"b1": "gone"}),
        ({"BTC": "0.01998", "USDT": "-998"}, {"b1": "gone"}),
        ({"BTC": "0.01960", "USDT": "-985"}, {"b1": "gone"}),
        ({"BTC": "0.01998"}, {"b1": "contested"}),
        ({"BTC": "0.01998", "USDT": "-5000"}, {"b1": "contested"}),
        ({"BTC": "0.01998", "USDT": "999"}, {"b1": "contested"}),
        ({"BTC": "0.05", "USDT": "-2450"}, {"b2": "gone"}),
        ({"BTC": "0.05", "USDT": "-2500"}, {"b2": "gone"}),
        ({"BTC": "0.06998", "USDT": "-3490"}, {"b1": "gone", "b2": "gone"}),
        ({"ETH": "2", "USDT": "-6200"}, {"b3": "gone"}),
        ({"BTC": "0.01998", "ETH": "2", "USDT": "-7100"}, {"b1": "gone", "b3": "gone"}),
        ({"BTC": "0.01998", "ETH": "2", "USDT": "-999"}, {"b1": "contested", "b3": "contested"}),
        # Moves of the user with coins of their own.
        ({"BTC": "0.3"}, {}),
        ({"BTC": "0.3", "USDT": "-15000"}, {}),
        ({"BTC": "0.01"}, {}),
        ({"BTC": "-0.01998", "USDT": "999"}, {}),
        ({"USDT": "900"}, {}),
        ({"USDT": "-5000"}, {}),
    ],
)
def test_compare_tells_what_became_of_positions(
    less: dict[str, str], discrepancies: dict[str, str]
) -> None:
    assert found(less) == discrepancies


def test_compare_without_what_was_expected_judges_nothing() -> None:
    assert compare([HELD], {}, {"BTC": D(0), "USDT": D(0)}, PRICES) == {}
    actual = {"BTC": EXPECTED["BTC"] - HELD.tracked, "USDT": D(2000)}
    only_base = {"BTC": EXPECTED["BTC"]}
    assert compare([HELD], only_base, actual, PRICES) == {HELD: Discrepancy.CONTESTED}


def test_compare_without_any_price_contests() -> None:
    nameless = HELD._replace(entry_price=None)
    actual = {**EXPECTED, "BTC": EXPECTED["BTC"] - HELD.tracked, "USDT": D(1999)}
    assert compare([nameless], EXPECTED, actual, {}) == {nameless: Discrepancy.CONTESTED}
    assert compare([nameless], EXPECTED, actual, PRICES) == {nameless: Discrepancy.GONE}


def test_compare_of_many_positions_takes_each_and_all_together() -> None:
    many = [OpenPosition(f"b{n}", "BTC/USDT", D(n + 1) / 1000, D(50000)) for n in range(40)]
    total = sum((one.tracked for one in many), D(0))
    expected = {"BTC": total + 1, "USDT": D(0)}
    all_sold = {"BTC": D(1), "USDT": total * 50000}
    assert set(compare(many, expected, all_sold, PRICES).values()) == {Discrepancy.GONE}
    one_sold = {"BTC": total + 1 - many[6].tracked, "USDT": many[6].tracked * 50000}
    assert compare(many, expected, one_sold, PRICES) == {many[6]: Discrepancy.GONE}


@given(
    st.lists(st.decimals("0.001", "2", places=5), min_size=1, max_size=5),
    st.decimals("0", "5", places=5),
)
def test_compare_of_an_account_that_holds_all_finds_nothing(
    tracked: list[Decimal], more: Decimal
) -> None:
    held = [OpenPosition(f"b{n}", "BTC/USDT", one, D(1)) for n, one in enumerate(tracked)]
    expected = {"BTC": sum(tracked, D(0)), "USDT": D(7)}
    actual = {"BTC": expected["BTC"] + more, "USDT": D(7) + more}
    assert compare(held, expected, actual, PRICES) == {}
