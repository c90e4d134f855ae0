"""Reads of account and market, and answers that are refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import responses
from support.adapter_samples import (
    BALANCE,
    DEPTH,
    TICKER,
    TRADES,
    URL,
    changed,
)

from execsvc.clients.exchange_adapter import ExchangeAdapter
from execsvc.errors import Unavailable


def test_reads_return_values_of_the_model(
    service: responses.RequestsMock, adapter: ExchangeAdapter
) -> None:
    service.get(f"{URL}/balance/key%2F1", json=BALANCE)
    service.get(f"{URL}/market/ticker?key_id=key%2F1&symbol=BTC%2FUSDT", json=TICKER)
    service.get(f"{URL}/market/depth?key_id=key%2F1&symbol=BTC%2FUSDT&limit=50", json=DEPTH)
    service.get(f"{URL}/market/trades?key_id=key%2F1&symbol=BTC%2FUSDT&limit=20", json=TRADES)
    assert adapter.balance().free("BTC") == Decimal("0.1")
    assert adapter.balance().free("ETH") == 0
    ticker = adapter.ticker("BTC/USDT")
    assert (ticker.price, ticker.limits.decimals) == (Decimal("88162.08"), 5)
    assert adapter.depth("BTC/USDT", 50).mid == Decimal("1.25")
    assert [trade.amount for trade in adapter.trades("BTC/USDT", 20)] == [2, None]


@pytest.mark.parametrize("limits", [None, {}, {"min_notional": None}, "absent"])
def test_limits_may_be_missing(
    service: responses.RequestsMock, adapter: ExchangeAdapter, limits: Any
) -> None:
    body: dict[str, Any] = {**TICKER, "limits": limits}
    if limits == "absent":
        del body["limits"]
    service.get(f"{URL}/market/ticker", json=body)
    assert adapter.ticker("BTC/USDT").limits.decimals == 8


@pytest.mark.parametrize(
    ("read", "body", "said"),
    [
        ("balance", changed(BALANCE, assets=[]), "GET /balance: assets: "),
        ("balance", {}, "GET /balance: assets: Field required"),
        ("balance", [], "GET /balance: "),
        (
            "balance",
            changed(BALANCE, assets=[{"asset": "BTC", "locked": 0}]),
            "GET /balance: balance of BTC: free: ",
        ),
        (
            "balance",
            changed(BALANCE, assets=[{"asset": "BTC", "free": "x", "locked": 0}]),
            "GET /balance: balance of BTC: free: Input should be a valid decimal",
        ),
        ("balance", changed(BALANCE, assets=[{"asset": "BTC", "free": -1, "locked": 0}]), "free"),
        (
            "balance",
            changed(BALANCE, assets=[{"asset": "BTC", "free": "NaN", "locked": 0}]),
            "free",
        ),
        ("ticker", changed(TICKER, price=0), "GET /market/ticker BTC/USDT: price: "),
        ("ticker", changed(TICKER, price=-1), "price: "),
        ("ticker", changed(TICKER, price=None), "price: "),
        ("ticker", changed(TICKER, price="inf"), "price: "),
        ("ticker", changed(TICKER, price=True), "price: "),
        ("ticker", changed(TICKER, price=1e300), "price: "),
        ("ticker", changed(TICKER, limits=7), "limits: "),
        ("ticker", changed(TICKER, symbol="ETH/USDT"), "symbol: is ETH/USDT, asked for BTC/USDT"),
        ("depth", changed(DEPTH, bids=[]), "bids: is empty"),
        ("depth", changed(DEPTH, asks=[[0.5, 1]]), "crossed"),
        ("depth", changed(DEPTH, bids=[[1, 1], [1.2, 1]]), "not sorted"),
        ("depth", changed(DEPTH, bids=[[1]]), "GET /market/depth BTC/USDT: bids.0."),
        ("depth", changed(DEPTH, asks=[[1.5, 1], ["x", 1]]), "asks.1.0: "),
        ("depth", changed(DEPTH, symbol="X/Y"), "asked for BTC/USDT"),
        ("trades", changed(TRADES, trades=None), "GET /market/trades BTC/USDT: trades: "),
        ("trades", changed(TRADES, trades=[{"price": -1}]), "trades.0.price: "),
        ("trades", changed(TRADES, symbol="X/Y"), "asked for BTC/USDT"),
    ],
)
def test_bad_data_is_unavailable_and_named(
    service: responses.RequestsMock, adapter: ExchangeAdapter, read: str, body: Any, said: str
) -> None:
    path = "balance/key%2F1" if read == "balance" else f"market/{read}"
    service.get(f"{URL}/{path}", json=body)
    arguments = {"balance": ("BTC", "USDT"), "ticker": ("BTC/USDT",)}.get(read, ("BTC/USDT", 20))
    with pytest.raises(Unavailable) as raised:
        getattr(adapter, read)(*arguments)
    assert said in str(raised.value)


@pytest.mark.parametrize("read", ["ticker", "depth", "trades"])
def test_failed_market_read_names_the_symbol(
    service: responses.RequestsMock, adapter: ExchangeAdapter, read: str
) -> None:
    service.get(f"{URL}/market/{read}", status=400, json={"detail": "no such market"})
    arguments = ("btc/usdt",) if read == "ticker" else ("btc/usdt", 20)
    with pytest.raises(Unavailable, match=rf"^GET /market/{read} btc/usdt: HTTP 400: no such"):
        getattr(adapter, read)(*arguments)


@pytest.mark.parametrize(
    ("base", "quote", "listed", "said"),
    [
        ("btc", "usdt", ("BTC", "USDT"), "GET /balance for btc/usdt: lists no btc, but BTC: "),
        ("BTC", "USDT:USDT", ("USDT",), "for BTC/USDT:USDT: lists no USDT:USDT, but USDT: "),
        ("BTC", "USDT", ("btc",), "for BTC/USDT: lists no BTC, but btc: "),
    ],
)
def test_asset_listed_under_another_spelling_is_not_zero(
    service: responses.RequestsMock,
    adapter: ExchangeAdapter,
    base: str,
    quote: str,
    listed: tuple[str, ...],
    said: str,
) -> None:
    rows = [{"asset": name, "free": 1, "locked": 0} for name in listed]
    service.get(f"{URL}/balance/key%2F1", json={"assets": rows})
    with pytest.raises(Unavailable) as raised:
        adapter.balance(base, quote)
    assert said in str(raised.value)


def test_asset_that_is_nowhere_listed_is_zero(
    service: responses.RequestsMock, adapter: ExchangeAdapter
) -> None:
    rows = [{"asset": name, "free": 1, "locked": 0} for name in ("USDC", "BTCB", "usdt", "USDT")]
    service.get(f"{URL}/balance/key%2F1", json={"assets": rows})
    assert adapter.balance("BTC", "USDT").free("BTC") == 0


@pytest.mark.parametrize("more", [[1767292988], [0, 12], ["0", "4"]])
def test_level_of_three_or_four_items_is_read(
    service: responses.RequestsMock, adapter: ExchangeAdapter, more: list[Any]
) -> None:
    book = changed(DEPTH, bids=[[1, 2, *more], [0.5, 1]], asks=[["1.5", "2", *more]])
    service.get(f"{URL}/market/depth", json=book)
    depth = adapter.depth("BTC/USDT", 20)
    assert [tuple(level) for level in depth.bids] == [(1, 2), (Decimal("0.5"), 1)]
    assert [tuple(level) for level in depth.asks] == [(Decimal("1.5"), 2)]


def test_level_of_five_items_is_refused(
    service: responses.RequestsMock, adapter: ExchangeAdapter
) -> None:
    service.get(f"{URL}/market/depth", json=changed(DEPTH, bids=[[1, 2, 3, 4, 5]]))
    with pytest.raises(Unavailable, match="bids"):
        adapter.depth("BTC/USDT", 20)


@pytest.mark.parametrize(
    ("side", "read", "odd"),
    [
        ("sell ", "sell", False),
        ("SELL", "sell", False),
        ("Buy", "buy", False),
        ("b", "buy", False),
        ("S", "sell", False),
        (None, None, False),
        ("bid", "bid", True),
        ("", "", True),
        (-1, "-1", True),
        ({"is": "x" * 50}, "{'is': 'xxxxxxxxxxxx", True),
    ],
)
def test_side_of_a_trade_is_read_however_it_is_written(
    service: responses.RequestsMock,
    adapter: ExchangeAdapter,
    side: object,
    read: str | None,
    odd: bool,
) -> None:
    row = {"timestamp": 1, "price": 1, "amount": 2, "side": side}
    service.get(f"{URL}/market/trades", json=changed(TRADES, trades=[row]))
    (trade,) = adapter.trades("BTC/USDT", 20)
    assert (trade.side, trade.has_odd_side) == (read, odd)
