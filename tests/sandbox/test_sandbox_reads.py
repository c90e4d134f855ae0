"""The wire shapes of all reads, as a client sees them."""

from __future__ import annotations

import json

import pytest
import requests
from support.sandbox_calls import ORDER, PATIENCE, get, pin, place

from execsvc.sandbox.server import Sandbox


def test_balance_lists_each_asset_with_its_value(sandbox: Sandbox) -> None:
    pin(sandbox, symbol="BTC/USDT", price=50000)
    requests.put(
        f"{sandbox.url}/sandbox/accounts/k", json={"BTC": "0.1", "ETH": 0}, timeout=PATIENCE
    )
    assert get(sandbox, "/balance/k") == {
        "totalUsdtValue": 5000.0,
        "assets": [{"asset": "BTC", "free": 0.1, "locked": 0.0, "usdtValue": 5000.0}],
    }


def test_account_not_set_begins_with_the_default(sandbox: Sandbox) -> None:
    assert [
        (row["asset"], row["free"]) for row in get(sandbox, "/balance/new%2Fkey")["assets"]
    ] == [("USDT", 100_000.0)]
    assert list(get(sandbox, "/sandbox/books")["accounts"]) == ["new/key"]


def test_ticker_has_price_and_limits(sandbox: Sandbox) -> None:
    pin(sandbox, price="88162.08")
    assert get(sandbox, "/market/ticker", key_id="k", symbol="BTC/USDT") == {
        "symbol": "BTC/USDT",
        "price": 88162.08,
        "limits": {"min_notional": 5.0, "min_amount": 0.00001},
    }


def test_limits_changed_or_withheld_are_answered_so(sandbox: Sandbox) -> None:
    pin(sandbox, min_amount="0.001", min_notional=None)
    ticker = get(sandbox, "/market/ticker", key_id="k", symbol="BTC/USDT")
    assert ticker["limits"] == {"min_notional": None, "min_amount": 0.001}
    pin(sandbox, publish_limits=False)
    assert get(sandbox, "/market/ticker", key_id="k", symbol="BTC/USDT")["limits"] is None
    assert "LOT_SIZE" in place(sandbox, amount=0.00016).json()["detail"]


def test_depth_has_levels_best_first(sandbox: Sandbox) -> None:
    book = get(sandbox, "/market/depth", key_id="k", symbol="ETH/USDT", limit=50)
    assert list(book) == ["symbol", "timestamp", "best_bid", "best_ask", "bids", "asks"]
    assert isinstance(book["timestamp"], int)
    assert (len(book["bids"]), len(book["asks"])) == (50, 50)
    assert book["best_bid"] == book["bids"][0][0] < book["best_ask"] == book["asks"][0][0]
    assert all(isinstance(number, float) for level in book["bids"] for number in level)
    short = get(sandbox, "/market/depth", key_id="k", symbol="ETH/USDT", limit=5)
    assert len(short["asks"]) == 5


def test_a_book_can_be_given(sandbox: Sandbox) -> None:
    pin(sandbox, symbol="BTC/USDT", bids=[["99.5", 1]], asks=[[100, "0.5"], [101, 2]])
    book = get(sandbox, "/market/depth", key_id="k", symbol="BTC/USDT", limit=50)
    assert (book["bids"], book["asks"]) == ([[99.5, 1.0]], [[100.0, 0.5], [101.0, 2.0]])
    assert place(sandbox, amount=1).json()["details"]["average"] == 100.5


def test_trades_are_answered_oldest_first(sandbox: Sandbox) -> None:
    answer = get(sandbox, "/market/trades", key_id="k", symbol="SOL/USDT", limit=20)
    assert answer["symbol"] == "SOL/USDT"
    assert len(answer["trades"]) == 20
    for trade in answer["trades"]:
        assert list(trade) == ["timestamp", "price", "amount", "side"]
        assert isinstance(trade["timestamp"], int)
        assert trade["side"] in ("buy", "sell")
    stamps = [trade["timestamp"] for trade in answer["trades"]]
    assert stamps == sorted(stamps)


def test_trades_can_be_given(sandbox: Sandbox) -> None:
    given = [{"timestamp": 1, "price": None, "amount": 2.0, "side": "buy"}]
    pin(sandbox, trades=given)
    answer = get(sandbox, "/market/trades", key_id="k", symbol="BTC/USDT", limit=20)
    assert answer["trades"] == given


@pytest.mark.parametrize(
    "path",
    [
        "/market/ticker?key_id=k",
        "/market/depth?symbol=BTC/USDT",
        "/market/trades?key_id=k&symbol=BTC/USDT&limit=many",
    ],
)
def test_query_with_a_missing_parameter_is_422(sandbox: Sandbox, path: str) -> None:
    assert requests.get(sandbox.url + path, timeout=PATIENCE).status_code == 422


def test_unknown_path_is_404(sandbox: Sandbox) -> None:
    answer = requests.get(f"{sandbox.url}/elsewhere", timeout=PATIENCE)
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})
    assert get(sandbox, "/sandbox/requests")["counts"] == {"unknown": 1}


def test_requests_are_remembered(sandbox: Sandbox) -> None:
    requests.get(
        f"{sandbox.url}/bots?status=RUNNING", headers={"Authorization": "x"}, timeout=PATIENCE
    )
    place(sandbox)
    seen = get(sandbox, "/sandbox/requests", last=1)
    assert seen["counts"] == {"bots": 1, "order": 1}
    assert [entry["call"] for entry in seen["last"]] == ["order"]
    assert seen["listings"][0]["query"] == {"status": "RUNNING"}
    assert seen["listings"][0]["authorization"] == "x"
    assert json.loads(seen["orders"][0]["body"]) == ORDER
    requests.delete(f"{sandbox.url}/sandbox/requests", timeout=PATIENCE)
    assert get(sandbox, "/sandbox/requests")["counts"] == {}
