"""CPU time of one market read and of its parts, in this process."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import requests

from _bench.world import Exchange
from execsvc.clients.exchange_adapter import ExchangeAdapter
from execsvc.clients.http import HttpClient

ROUNDS = 1000


class _NoPause:
    def remaining(self) -> float:
        return 0.0

    def pause(self, seconds: float) -> None:
        pass


def reads() -> dict[str, float]:
    """Microseconds of CPU for: one read as requests comes, as ours, and with its validation."""
    exchange = Exchange()
    try:
        client = HttpClient(exchange.url, None, 5.0)
        adapter = ExchangeAdapter(client, "b0", _NoPause())
        asked: dict[str, Any] = {"key_id": "b0", "symbol": "BTC/USDT", "limit": 50}
        plain = requests.Session()
        url = f"{exchange.url}/market/depth"
        return {
            "requests_as_it_comes": _cost(lambda: plain.get(url, params=asked, timeout=5).content),
            "our_read": _cost(lambda: _read(client, asked)),
            "our_read_parsed": _cost(lambda: adapter.depth("BTC/USDT", 50)),
            "our_ticker_parsed": _cost(lambda: adapter.ticker("BTC/USDT")),
        }
    finally:
        exchange.close()


def _read(client: HttpClient, asked: dict[str, Any]) -> None:
    # The JSON of an answer belongs to its validation; look() is the read alone.
    client.look("bench", f"/market/depth?key_id=b0&symbol=BTC%2FUSDT&limit={asked['limit']}")


def _cost(call: Callable[[], object]) -> float:
    for _ in range(50):
        call()
    best = float("inf")
    for _ in range(3):
        began = time.process_time()
        for _ in range(ROUNDS):
            call()
        best = min(best, (time.process_time() - began) / ROUNDS)
    return best * 1e6
