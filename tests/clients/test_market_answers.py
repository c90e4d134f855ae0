"""Answers about a market that are checked in bulk, against the models that check each number."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
import responses
from hypothesis import given
from hypothesis import strategies as st
from support.adapter_samples import DEPTH, TRADES, URL, changed

from execsvc.clients.answers import HttpAnswer
from execsvc.clients.exchange_adapter import ExchangeAdapter
from execsvc.clients.market_answers import (
    Unusual,
    check_depth,
    check_trades,
    depth_of,
    trades_of,
)
from execsvc.model.market import Depth, Trades
from execsvc.model.public_trades import RowNumbers

SYMBOL = "BTC/USDT"
AT = 1767292988078
numbers = st.one_of(
    st.integers(1, 9),
    st.floats(0.001, 100),
    st.decimals("0.0001", 100, places=8).map(str),
    st.sampled_from([0, -1, True, None, 1e-19, 1e15, 1e16, 5e-324, "NaN", "sNaN", "Infinity"]),
    st.sampled_from(["1_0", " 1 ", "0.10", "1e-18", "1E-19", "9" * 15, "9" * 16, "", []]),
    st.sampled_from(["0." + "1" * 79, "0." + "1" * 81]),
)
levels = st.one_of(
    st.lists(numbers, min_size=2, max_size=2), st.lists(numbers, max_size=5), st.just("12")
)
sides = st.one_of(st.lists(levels, max_size=3), st.none(), st.just("ab"))
stamps = st.sampled_from([AT, AT + 1, AT // 1000, AT * 1000, 5, str(AT), None, True, 1.5, -1])
rows = st.fixed_dictionaries(
    {
        "timestamp": stamps,
        "price": numbers,
        "amount": numbers,
        "side": st.sampled_from(["buy", "sell", "BUY", "s", "bid", None, 1]),
    },
    optional={"id": st.integers()},
)
right_row = {"timestamp": AT, "price": 1.5, "amount": "2.50", "side": "buy"}


def body(content: Any) -> bytes:
    return json.dumps(content).encode()


def by_model(model: type[Any], written: bytes) -> Any:
    return model.model_validate(HttpAnswer("GET", 200, written, None).json())


@given(
    st.lists(st.tuples(st.floats(1, 2), st.floats(0.001, 5)), min_size=1, max_size=4),
    st.lists(st.tuples(st.floats(1.9, 3), numbers), min_size=1, max_size=4),
    st.one_of(st.just(None), sides),
    stamps,
    st.booleans(),
)
def test_depth_that_is_checked_in_bulk_is_that_of_the_model(
    bids: Any, asks: Any, odd: Any, stamp: Any, in_order: bool
) -> None:
    if in_order:
        bids, asks = sorted(bids, reverse=True), sorted(asks, key=lambda level: level[0])
    written = body(
        {"symbol": SYMBOL, "timestamp": stamp, "bids": odd if odd else bids, "asks": asks}
    )
    try:
        found = depth_of(SYMBOL, *check_depth(written, SYMBOL))
    except Unusual:
        return
    expected = by_model(Depth, written)
    assert repr((tuple(found.bids), tuple(found.asks))) == repr((expected.bids, expected.asks))
    assert (found.timestamp, found.mid) == (expected.timestamp, expected.mid)


@given(st.lists(st.one_of(rows, st.just(right_row)), max_size=4), st.booleans())
def test_trades_that_are_checked_in_bulk_are_those_of_the_model(made: Any, again: bool) -> None:
    numbering = RowNumbers()
    for listed in (made[:2], made) if again else (made,):
        written = body({"symbol": SYMBOL, "trades": listed})
        try:
            found = trades_of(check_trades(written, SYMBOL, numbering), numbering)
        except Unusual:
            continue
        assert repr(tuple(found)) == repr(by_model(Trades, written).trades)


def test_answer_of_the_usual_form_is_checked_in_bulk() -> None:
    assert depth_of(SYMBOL, *check_depth(body(DEPTH), SYMBOL)).mid == Decimal("1.25")
    usual = body({"symbol": SYMBOL, "trades": [right_row, {**right_row, "side": "sell"}]})
    assert len(check_trades(usual, SYMBOL, RowNumbers())) == 2


@pytest.mark.parametrize(
    "members",
    [
        {"bids": [], "asks": [[2, 1]]},
        {"bids": [[1, 0]]},
        {"bids": [[-1, 1]]},
        {"bids": [[1, True]]},
        {"bids": [["NaN", 1]]},
        {"bids": [[1, 1], [2, 1]]},
        {"asks": [[3, 1], [2, 1]]},
        {"bids": [[2, 1]], "asks": [[2, 1]]},
        {"symbol": "ETH/USDT"},
        {"timestamp": True},
    ],
)
def test_book_that_may_be_wrong_is_left_to_the_model(members: dict[str, Any]) -> None:
    with pytest.raises(Unusual):
        check_depth(body(changed(DEPTH, **members)), SYMBOL)


def test_trades_that_come_again_keep_their_numbers_and_are_new_once_an_odd_one_joins_them(
    service: responses.RequestsMock, adapter: ExchangeAdapter
) -> None:
    second = {**right_row, "timestamp": AT + 1}
    for listed in ([right_row], [right_row, second], [second, TRADES["trades"][1]]):  # type: ignore[index]
        service.get(f"{URL}/market/trades", json=changed(TRADES, trades=listed))
    first, both, odd = (adapter.trades(SYMBOL, 20) for _ in range(3))
    assert first.source is both.source is odd.source
    assert (first.first, both.first, odd.first) == (0, 0, 2)
    assert (both[1], odd[1].price) == (odd[0], None)
