"""Parts that the tests of the exchange adapter share: sample answers, and an account's pauses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import responses

from execsvc.clients.exchange_adapter import ExchangeAdapter
from execsvc.clients.http import HttpClient
from execsvc.model.order import Fill, Side

URL = "http://adapter/api"
BALANCE = {
    "totalUsdtValue": 1.0,
    "assets": [{"asset": "BTC", "free": "0.1", "locked": 0.0, "usdtValue": None}],
}
TICKER = {
    "symbol": "BTC/USDT",
    "price": 88162.08,
    "limits": {"min_notional": 5.0, "min_amount": 1e-05},
}
DEPTH = {"symbol": "BTC/USDT", "timestamp": None, "bids": [[1, 2], [0.5, 1]], "asks": [[1.5, 2]]}
TRADES = {
    "symbol": "BTC/USDT",
    "trades": [
        {"timestamp": 1767292988078, "price": 1, "amount": "2", "side": "buy"},
        {"timestamp": None, "price": None, "amount": None, "side": None},
    ],
}
DETAILS = {
    "id": "54762105231",
    "symbol": "BTC/USDT",
    "side": "buy",
    "amount": 0.00016,
    "filled": 0.00016,
    "average": 88162.08,
    "cost": 14.1059328,
    "status": "closed",
    "fee": {"currency": "BTC", "cost": 1.6e-07},
    "fees": [{"currency": "BTC", "cost": 1.6e-07}],
}


class Pauses:
    """Remembers what an account was told, and is as paused as a test wants it."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self.left: list[float] = []
        self.bans: list[float] = []
        self.banned_for = 0.0

    def remaining(self) -> float:
        return self.left.pop(0) if self.left else 0.0

    def banned(self) -> float:
        return self.banned_for

    def ban(self, seconds: float, why: str) -> None:
        self.bans.append(seconds)

    def pause(self, seconds: float) -> None:
        self.asked.append(seconds)


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


@pytest.fixture
def adapter(pauses: Pauses) -> ExchangeAdapter:
    return ExchangeAdapter(HttpClient(URL, None, 5.0), "key/1", pauses)


@pytest.fixture
def service() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def order(adapter: ExchangeAdapter, amount: str = "0.00016", side: Side = Side.BUY) -> Fill:
    return adapter.place_order("id-1", "BTC/USDT", side, Decimal(amount), 30.0)


def answer(service: responses.RequestsMock, status: int, body: Any, **headers: str) -> None:
    text = body if isinstance(body, (str, bytes)) else json.dumps(body)
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    service.add("POST", f"{URL}/order", body=text, status=status, headers=names)


def changed(original: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {**original, **members}
