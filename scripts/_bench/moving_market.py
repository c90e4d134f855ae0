"""Books and trades that move, as JSON made once for all who ask within a tenth of a second."""

from __future__ import annotations

import json
import random
import time
from collections import deque

LEVELS = 50
TRADES = 1000
TRADES_A_SECOND = 8.0
_FRESH = 0.1
"""Seconds for which one answer is given to all who ask."""
SYMBOLS = tuple(f"{base}/USDT" for base in ("BTC", "ETH", "SOL", "XRP", "ADA"))


class MovingMarket:
    """The market of one symbol, which moves with the machine's time."""

    def __init__(self, symbol: str, seed: int) -> None:
        self._symbol = symbol
        self._random = random.Random(seed)
        self._mid = 50_000.0
        self._rows: deque[str] = deque(maxlen=TRADES)
        self._traded_until = time.time() - TRADES / TRADES_A_SECOND
        self._answers: dict[tuple[str, int], tuple[float, bytes]] = {}

    def depth(self, limit: int) -> bytes:
        """The body of an answer of ``GET /market/depth``."""
        return self._fresh("depth", limit)

    def trades(self, limit: int) -> bytes:
        """The body of an answer of ``GET /market/trades``."""
        return self._fresh("trades", limit)

    def _fresh(self, what: str, limit: int) -> bytes:
        now = time.time()
        made_at, body = self._answers.get((what, limit), (0.0, b""))
        if now - made_at >= _FRESH:
            self._move(now)
            body = (self._book(now, limit) if what == "depth" else self._tape(limit)).encode()
            self._answers[what, limit] = now, body
        return body

    def _move(self, now: float) -> None:
        while (at := self._traded_until + self._random.expovariate(TRADES_A_SECOND)) <= now:
            self._traded_until = at
            buys = self._random.random() < 0.5
            self._mid += 0.37 if buys else -0.37
            self._rows.append(
                f'{{"timestamp": {int(at * 1000)}, "price": {self._mid:.2f}, '
                f'"amount": {self._random.uniform(0.0001, 0.5):.8f}, '
                f'"side": "{"buy" if buys else "sell"}"}}'
            )

    def _book(self, now: float, limit: int) -> str:
        shown, mid, draw = min(limit, LEVELS), self._mid, self._random.random
        sides = [
            [[round(mid + sign * 0.37 * (n + 1), 2), round(0.1 + draw(), 8)] for n in range(shown)]
            for sign in (-1, 1)
        ]
        book = {"symbol": self._symbol, "timestamp": int(now * 1000)}
        return json.dumps({**book, "bids": sides[0], "asks": sides[1]})

    def _tape(self, limit: int) -> str:
        rows = list(self._rows)[-limit:]
        return f'{{"symbol": "{self._symbol}", "trades": [{", ".join(rows)}]}}'
