"""A sandbox as a test reads it and orders faults there, over HTTP."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import quote

import requests

OWN_BTC = Decimal(1)
"""The coins of the user in the tests' account; no bot bought them."""


class Exchange:
    """A sandbox's exchange, judged by its own books."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON of one admin call."""
        answer = self._session.request(method, self.url + path, json=body, timeout=60)
        assert answer.ok, answer.text
        return answer.json()

    def fund(self, key: str = "k1", usdt: str = "10000", btc: Decimal = OWN_BTC) -> None:
        """A fresh account with the user's own coins in it."""
        self.call("PUT", f"/sandbox/accounts/{key}", {"USDT": usdt, "BTC": str(btc)})

    def market(self, **changes: Any) -> None:
        """Change the market: price, limits, fees."""
        self.call("PUT", "/sandbox/market", changes)

    def fault(self, kind: str, **rule: Any) -> None:
        """Order a fault."""
        self.call("POST", "/sandbox/faults", {"kind": kind, **rule})

    def heal(self) -> None:
        """No more faults."""
        self.call("DELETE", "/sandbox/faults")

    def receive_window(self, seconds: float) -> None:
        """Refuse an order that is not executed within so long of its arrival.

        A settlement that decides later than that is right however busy the machine is.
        """
        self.adapter(receive_window=seconds)

    def adapter(self, **members: Any) -> None:
        """Set the features of the sandbox's adapter; members that are not given are as usual."""
        self.call("PUT", "/sandbox/adapter", members)

    def by_hand(self, key: str = "k1", **trade: Any) -> None:
        """The user trades."""
        self.call("POST", f"/sandbox/accounts/{key}/trade", trade)

    def account(self, key: str = "k1") -> dict[str, Any]:
        """The exchange's books of one account; empty when it was never used."""
        accounts = self.call("GET", f"/sandbox/books?key={key}&events=0")["accounts"]
        found: dict[str, Any] = accounts.get(key, {})
        return found

    def orders(self, key: str = "k1", side: str | None = None) -> list[dict[str, Any]]:
        """Orders that reached the exchange."""
        orders = self.account(key).get("orders", [])
        return [order for order in orders if side in (None, order["side"])]

    def executed(self, key: str = "k1", side: str | None = None) -> list[dict[str, Any]]:
        """Orders of which something was filled."""
        return [order for order in self.orders(key, side) if Decimal(order["filled"]) > 0]

    def bots_base(self, key: str = "k1", asset: str = "BTC", own: Decimal = OWN_BTC) -> Decimal:
        """The coins in the account beyond the user's own, by the exchange."""
        balance = self.account(key)["balances"].get(asset, {"free": "0", "locked": "0"})
        return Decimal(balance["free"]) + Decimal(balance["locked"]) - own

    def lowest(self, key: str = "k1", asset: str = "BTC") -> Decimal:
        """The smallest balance that was ever seen."""
        return Decimal(self.account(key)["assets"][asset]["lowest"])

    def requests_of(self, call: str) -> int:
        """The count of requests of a call that arrived."""
        counts: dict[str, int] = self.call("GET", "/sandbox/requests")["counts"]
        return counts.get(call, 0)

    def listings(self, last: int) -> list[dict[str, Any]]:
        """The newest ``last`` requests for bots, of whatever status, oldest first."""
        found: list[dict[str, Any]] = self.call("GET", f"/sandbox/requests?last={last}")["listings"]
        return found

    def told(self, bot_id: str | None = None) -> list[dict[str, Any]]:
        """The reports on orders to BotService, of one bot or of all."""
        told: list[dict[str, Any]] = self.call("GET", "/sandbox/reports")
        return [entry for entry in told if bot_id in (None, entry["bot_id"])]

    def tables(self) -> dict[str, Any]:
        """BotService's sessions with their orders, and its executions."""
        found: dict[str, Any] = self.call("GET", "/sandbox/sessions")
        return found

    def bot_service(self, **members: Any) -> None:
        """Set the features of the sandbox's BotService; members that are not given are as usual."""
        self.call("PUT", "/sandbox/bot-service", members)

    def bot_status(self, bot_id: str = "b1") -> str:
        """The status of a bot's row."""
        status: str = self.call("GET", f"/bots/{quote(bot_id, safe='')}")["status"]
        return status

    def list_bots(self, *rows: Any) -> None:
        """Let BotService list these rows and no others."""
        self.call("PUT", "/sandbox/bots", list(rows))

    def change_bot(self, bot_id: str, **changes: Any) -> None:
        """Change members of a bot's row, as the editor does: it sends back the whole row."""
        path = f"/bots/{quote(bot_id, safe='')}"
        self.call("PUT", path, {**self.call("GET", path), **changes})

    def stop_bot(self, bot_id: str = "b1") -> None:
        """Stop a bot in BotService, which complains of one without a session and stops it too."""
        answer = self._session.post(f"{self.url}/bots/{quote(bot_id, safe='')}/stop", timeout=60)
        assert answer.status_code in (200, 400), answer.text
