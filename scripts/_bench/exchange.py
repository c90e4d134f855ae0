"""A BotService and an exchange adapter in one thread that answer as fast as Python can.

Every answer is made beforehand but for orders and listings, so that it is never the limit; its
own CPU time is part of every result, to show it. Each bot has an account of its own, by which
it is known: account ``b7`` is that of bot ``b7``. The market of every other account moves.
"""

from __future__ import annotations

import json
import os
import selectors
import socket
import sys
import time
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from _bench.moving_market import SYMBOLS, MovingMarket

PRICE = 50000.0
LEVELS = 50
QUOTE = 1_000_000.0


def packed(content: Any, status: str = "200 OK") -> bytes:
    """A complete HTTP answer with ``content`` as JSON."""
    return with_head(json.dumps(content).encode(), status)


def with_head(body: bytes, status: str = "200 OK") -> bytes:
    """A complete HTTP answer with ``body``."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def book() -> dict[str, Any]:
    """A book of 50 levels a side."""
    bids = [[round(PRICE - 0.37 * (n + 1), 2), round(0.1 + 0.013 * n, 8)] for n in range(LEVELS)]
    asks = [[round(PRICE + 0.37 * (n + 1), 2), round(0.1 + 0.017 * n, 8)] for n in range(LEVELS)]
    return {"symbol": "BTC/USDT", "timestamp": None, "bids": bids, "asks": asks}


class Exchange:
    """Both services: the listed bots, the holdings of each account, the ticker reads of each."""

    def __init__(self) -> None:
        self._bots: list[dict[str, Any]] = []
        self._base: dict[str, float] = {}
        self._quote: dict[str, float] = {}
        self._orders = 0
        self._listed_at = 0.0
        self._ticks: list[tuple[str, float]] = []
        self._who: set[str] = set()
        limits = {"min_notional": 5.0, "min_amount": 0.00001}
        self._ticker = packed({"symbol": "BTC/USDT", "price": PRICE, "limits": limits})
        self._depth = packed(book())
        self._calls = 0
        self._moving = {
            quote(symbol, safe=""): MovingMarket(symbol, seed)
            for seed, symbol in enumerate(SYMBOLS)
        }

    def answer(self, method: str, target: str, body: bytes) -> bytes:
        """The answer to one request."""
        path, _, query = target.partition("?")
        self._calls += path.startswith(("/market/", "/balance/"))
        if path == "/market/ticker":
            key = query.split("key_id=", 1)[1].split("&", 1)[0]
            self._ticks.append((key, time.monotonic()))
            self._who.add(key)
            return self._ticker
        if path.startswith("/market/"):
            return self._depth if "key_id=b" in query else self._moved(path, query)
        if path.startswith("/balance/"):
            return self._balance(unquote(path.rsplit("/", 1)[1]))
        if path == "/order" and method == "POST":
            return self._order(json.loads(body))
        if path == "/bots":
            return self._listing(parse_qs(urlsplit(target).query))
        return self._bench(method, path, body)

    def _moved(self, path: str, query: str) -> bytes:
        asked = dict(part.split("=", 1) for part in query.split("&"))
        market, limit = self._moving[asked["symbol"]], int(asked["limit"])
        return with_head(market.depth(limit) if path == "/market/depth" else market.trades(limit))

    def _balance(self, key: str) -> bytes:
        held = (("BTC", self._base.get(key, 0.0)), ("USDT", self._quote.get(key, QUOTE)))
        assets = [{"asset": a, "free": n, "locked": 0.0, "usdtValue": 0.0} for a, n in held]
        return packed({"totalUsdtValue": 0.0, "assets": assets})

    def _order(self, order: dict[str, Any]) -> bytes:
        self._orders += 1
        key, amount = order["key_id"], order["amount"]
        sign = 1 if order["side"] == "buy" else -1
        self._base[key] = self._base.get(key, 0.0) + sign * amount
        self._quote[key] = self._quote.get(key, QUOTE) - sign * amount * PRICE
        details = {
            "id": str(self._orders),
            "clientOrderId": order["client_order_id"],
            "symbol": order["symbol"],
            "side": order["side"],
            "amount": amount,
            "filled": amount,
            "average": PRICE,
            "cost": amount * PRICE,
            "status": "closed",
            "fee": {"currency": "USDT", "cost": 0.0},
        }
        return packed({"status": "filled", "order_id": str(self._orders), "details": details})

    def _listing(self, query: dict[str, list[str]]) -> bytes:
        skip = int(query.get("skip", ["0"])[0])
        rows = self._bots[skip : skip + int(query.get("limit", ["100000"])[0])]
        if rows:
            self._listed_at = self._listed_at or time.monotonic()
        return packed(rows)

    def _bench(self, method: str, path: str, body: bytes) -> bytes:
        if path == "/bench/bots" and method == "POST":
            self._bots = json.loads(body)
            self._listed_at = 0.0
            self._forget()
            return packed({})
        if path == "/bench/forget" and method == "POST":
            self._forget()
            return packed({})
        if path == "/bench/seen":
            cpu = time.process_time()
            found = {"listed_at": self._listed_at, "ticks": self._ticks, "cpu": cpu}
            return packed({**found, "calls": self._calls})
        if path == "/bench/count":
            return packed({"bots": len(self._who), "ticks": len(self._ticks)})
        return packed({"detail": "no such path"}, "404 Not Found")

    def _forget(self) -> None:
        self._ticks, self._who = [], set()


class Server:
    """HTTP/1.1 with connections that are kept, on one selector."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._selector = selectors.EpollSelector()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ, None)
        self.port = self._listener.getsockname()[1]

    def run(self) -> None:
        """For ever."""
        while True:
            for ready, _ in self._selector.select():
                if ready.data is None:
                    self._accept()
                else:
                    self._read(ready.data)

    def _accept(self) -> None:
        for _ in range(200):
            try:
                client, _ = self._listener.accept()
            except BlockingIOError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._selector.register(client, selectors.EVENT_READ, (client, bytearray()))

    def _read(self, connection: tuple[socket.socket, bytearray]) -> None:
        client, waiting = connection
        try:
            received = client.recv(1 << 20)
        except OSError:
            received = b""
        if not received:
            self._selector.unregister(client)
            client.close()
            return
        waiting += received
        while (end := waiting.find(b"\r\n\r\n")) >= 0:
            head = bytes(waiting[:end]).decode("latin-1")
            size = 0
            if not head.startswith("GET"):
                for line in head.split("\r\n")[1:]:
                    if line.lower().startswith("content-length:"):
                        size = int(line[15:])
            if len(waiting) < end + 4 + size:
                return
            body = bytes(waiting[end + 4 : end + 4 + size])
            del waiting[: end + 4 + size]
            method, target, _ = head.split(" ", 2)
            client.sendall(self._exchange.answer(method, target, body))


if __name__ == "__main__":
    server = Server(Exchange())
    print(server.port, flush=True)
    parent = os.getppid()
    try:
        server.run()
    except KeyboardInterrupt:
        sys.exit()
