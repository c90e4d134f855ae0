"""An order that the adapter took: what is sent, and when the answer is final."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
import responses
from hypothesis import given
from hypothesis import strategies as st
from support.adapter_samples import (
    DETAILS,
    URL,
    Pauses,
    answer,
    changed,
    order,
)

from execsvc.clients.exchange_adapter import ExchangeAdapter
from execsvc.clients.http import HttpClient
from execsvc.errors import OutcomeContradicted, OutcomeUnknown
from execsvc.model.order import Fill, Side


def test_the_request_of_an_order(service: responses.RequestsMock, adapter: ExchangeAdapter) -> None:
    answer(service, 200, {"status": "filled", "order_id": "1", "details": DETAILS})
    assert order(adapter, "0.00016").filled == Decimal("0.00016")
    sent = service.calls[0].request
    assert sent.body == (
        b'{"key_id": "key/1", "symbol": "BTC/USDT", "side": "buy", "amount": 0.00016, '
        b'"order_type": "market", "price": null, "client_order_id": "id-1"}'
    )
    assert sent.headers["Content-Type"] == "application/json"


@given(st.decimals("1e-18", "1e12", allow_nan=False).filter(lambda amount: amount > 0))
def test_the_amount_sent_has_the_digits_that_it_has(amount: Decimal) -> None:
    adapter = ExchangeAdapter(HttpClient(URL, None, 1.0), "k", Pauses())
    body = adapter._order("id", "A/B", Side.SELL, amount)
    sent = json.loads(body, parse_float=Decimal, parse_int=Decimal)["amount"]
    assert sent == amount
    assert "E" not in body.split('"amount": ')[1].split(",")[0]


def test_place_order_final_order_returns_its_fill(
    service: responses.RequestsMock, adapter: ExchangeAdapter
) -> None:
    answer(service, 201, {"details": DETAILS})
    fill = order(adapter)
    assert fill == Fill(
        filled=Decimal("0.00016"),
        average=Decimal("88162.08"),
        cost=Decimal("14.1059328"),
        base_fee=Decimal("1.6e-07"),
        exchange_id="54762105231",
    )


@pytest.mark.parametrize(
    ("status", "filled"),
    [("closed", "0.00016"), ("canceled", "0.0001"), ("expired", "0.0001"), ("rejected", "0")],
)
def test_place_order_each_final_status_is_believed(
    service: responses.RequestsMock, adapter: ExchangeAdapter, status: str, filled: str
) -> None:
    answer(service, 200, {"details": changed(DETAILS, status=status, filled=filled, cost=None)})
    assert order(adapter).filled == Decimal(filled)


def test_place_order_contradiction_differs_from_an_order_not_final(
    service: responses.RequestsMock, adapter: ExchangeAdapter
) -> None:
    answer(service, 200, {"details": changed(DETAILS, amount=0.00002, filled=0.00002)})
    with pytest.raises(OutcomeContradicted, match="POST /order: details contradict themselves"):
        order(adapter)


@pytest.mark.parametrize(
    ("body", "at_least"),
    [
        ({"details": changed(DETAILS, status="open", filled=0.0001)}, "0.0001"),
        ({"details": changed(DETAILS, filled=None)}, "0"),
        ({"details": changed(DETAILS, filled="lots")}, "0"),
        ({"details": changed(DETAILS, filled=-1)}, "0"),
        ({"details": changed(DETAILS, status=None)}, "0.00016"),
        ({"details": changed(DETAILS, symbol="ETH/USDT")}, "0"),
        ({"details": changed(DETAILS, side="sell")}, "0"),
        ({"details": changed(DETAILS, filled=1)}, "0"),
        ({"details": changed(DETAILS, filled=1, status="open")}, "0"),
        ({"status": "filled", "order_id": "1"}, "0"),
        ({"details": None}, "0"),
        ({"details": []}, "0"),
        ([], "0"),
        ("", "0"),
        ("{", "0"),
        (b"\xff", "0"),
        ("[" * 100_000, "0"),
    ],
)
def test_a_2xx_without_final_details_is_unknown(
    service: responses.RequestsMock, adapter: ExchangeAdapter, body: Any, at_least: str
) -> None:
    answer(service, 200, body)
    with pytest.raises(OutcomeUnknown) as raised:
        order(adapter)
    assert raised.value.filled_at_least == at_least
    assert str(raised.value).startswith("POST /order: ")


def test_symbols_are_compared_without_their_punctuation(
    service: responses.RequestsMock, adapter: ExchangeAdapter
) -> None:
    answer(service, 200, {"details": changed(DETAILS, symbol="BTCUSDT", side="BUY")})
    assert order(adapter).filled
