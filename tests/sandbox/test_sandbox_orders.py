"""The wire shapes of orders, as a client sees them."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from support.sandbox_calls import PATIENCE, get, pin, place

from execsvc.sandbox.server import Sandbox


def test_order_is_filled_and_answered_as_ccxt_does(sandbox: Sandbox) -> None:
    pin(sandbox, price="88162.08")
    answer = place(sandbox, amount=0.00016)
    assert answer.status_code == 200
    body = answer.json()
    stamp = body["details"].pop("timestamp")
    assert isinstance(stamp, int)
    assert body == {
        "status": "filled",
        "order_id": body["details"]["id"],
        "details": {
            "id": body["order_id"],
            "clientOrderId": "intent-1",
            "symbol": "BTC/USDT",
            "type": "market",
            "side": "buy",
            "amount": 0.00016,
            "filled": 0.00016,
            "remaining": 0.0,
            "average": 88162.08,
            "cost": 14.1059328,
            "status": "closed",
            "fee": {"currency": "BTC", "cost": 1.6e-07},
            "fees": [{"currency": "BTC", "cost": 1.6e-07}],
        },
    }


def test_the_fee_of_a_sell_is_in_quote(sandbox: Sandbox) -> None:
    pin(sandbox, bids=[[50000, 1]], asks=[[50001, 1]])
    place(sandbox, amount=0.01)
    details = place(sandbox, side="sell", amount=0.005, client_order_id="2").json()["details"]
    assert details["fee"] == {"currency": "USDT", "cost": 0.25}


@pytest.mark.parametrize(
    ("fees", "told"),
    [
        (
            "quote",
            {
                "fee": {"currency": "USDT", "cost": 0.05},
                "fees": [{"currency": "USDT", "cost": 0.05}],
            },
        ),
        ("none", {}),
        ("null", {"fee": None, "fees": []}),
    ],
)
def test_fee_report_of_the_market_decides_the_answer(
    sandbox: Sandbox, fees: str, told: dict[str, Any]
) -> None:
    pin(sandbox, price=50000, fees=fees)
    details = place(sandbox, amount=0.001).json()["details"]
    assert {name: details[name] for name in ("fee", "fees") if name in details} == told
    left = get(sandbox, "/sandbox/books")["accounts"]["k"]["assets"]["BTC"]["left"]
    assert left == ("0.001" if fees == "quote" else "0.000999")


def test_fees_can_be_taken_in_a_coin(sandbox: Sandbox) -> None:
    """As much of it as there is."""
    url = f"{sandbox.url}/sandbox/accounts/k"
    requests.put(url, json={"USDT": "1000", "BNB": "0.0006"}, timeout=PATIENCE)
    requests.put(
        f"{sandbox.url}/sandbox/market", json={"symbol": "BNB/USDT", "price": 100}, timeout=PATIENCE
    )
    pin(sandbox, price=50000, fee_coin="BNB")
    fees = []
    for side in ("buy", "sell"):
        details = place(sandbox, side=side, amount=0.001, client_order_id=side).json()["details"]
        fees.append(details["fees"])
    coin = {"currency": "BNB", "cost": 0.0005}
    assert fees == [[coin], [{**coin, "cost": 0.0001}]]
    assets = get(sandbox, "/sandbox/books")["accounts"]["k"]["assets"]
    assert (assets["BTC"]["left"], assets["BNB"]["left"]) == ("0", "-0.0006")
    assert assets["BNB"]["fees"] == "0.0006"


def test_an_order_in_a_thin_book_is_canceled_for_the_rest(sandbox: Sandbox) -> None:
    pin(sandbox, bids=[[99, 1]], asks=[[100, 2]])
    details = place(sandbox, amount=5).json()["details"]
    assert (details["filled"], details["remaining"], details["status"]) == (2.0, 3.0, "canceled")


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"side": "sell"}, "insufficient balance"),
        ({"amount": 0.000163}, "LOT_SIZE"),
        ({"amount": 0.00001}, "NOTIONAL"),
        ({"symbol": "nonsense"}, "BadSymbol"),
    ],
)
def test_every_refusal_is_a_500_that_says_why(
    sandbox: Sandbox, members: dict[str, Any], words: str
) -> None:
    pin(sandbox, price=50000)
    answer = place(sandbox, **members)
    assert answer.status_code == 500
    assert words in answer.json()["detail"]
    order = get(sandbox, "/sandbox/books")["accounts"]["k"]["orders"][0]
    assert (order["filled"], order["executed_at"]) == ("0", None)
    assert words in order["refused"]


@pytest.mark.parametrize(
    "members",
    [{"amount": "0.1"}, {"amount": -1}, {"amount": 0}, {"side": "hold"}, {"key_id": None}],
)
def test_an_unusable_order_is_no_order(sandbox: Sandbox, members: dict[str, Any]) -> None:
    assert place(sandbox, **members).status_code == 422
    assert get(sandbox, "/sandbox/books") == {"accounts": {}}


@pytest.mark.parametrize("body", [b"", b"[", b"[]", b'{"amount": 1e9999999}', b"\xff"])
def test_an_unreadable_order_is_no_order(sandbox: Sandbox, body: bytes) -> None:
    assert requests.post(f"{sandbox.url}/order", data=body, timeout=PATIENCE).status_code == 422


def test_todays_adapter_cannot_look_up_an_order(sandbox: Sandbox) -> None:
    place(sandbox, amount=0.00016)
    assert requests.get(f"{sandbox.url}/order/intent-1", timeout=PATIENCE).json() == {
        "detail": "Not Found"
    }


def test_adapter_with_features_looks_up_and_deduplicates(sandbox: Sandbox) -> None:
    def adapter(**members: Any) -> None:
        requests.put(f"{sandbox.url}/sandbox/adapter", json=members, timeout=PATIENCE)

    adapter(order_lookup="refused")
    assert requests.get(f"{sandbox.url}/order/intent-1", timeout=PATIENCE).status_code == 405
    adapter(order_lookup="answered", deduplicate=True)
    assert requests.get(f"{sandbox.url}/order/intent-1", timeout=PATIENCE).status_code == 404
    first, again = place(sandbox, amount=0.00016), place(sandbox, amount=0.00016)
    assert first.json() == again.json()
    assert get(sandbox, "/order/intent-1") == first.json()["details"]
    orders = get(sandbox, "/sandbox/books")["accounts"]["k"]["orders"]
    assert [(order["resends"], order["filled"]) for order in orders] == [(1, "0.00016")]


def test_todays_adapter_executes_a_resend_again(sandbox: Sandbox) -> None:
    place(sandbox, amount=0.00016)
    place(sandbox, amount=0.00016)
    assert len(get(sandbox, "/sandbox/books")["accounts"]["k"]["orders"]) == 2
