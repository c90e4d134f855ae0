"""Calls of a client of a sandbox, and a test's questions to it afterwards."""

from __future__ import annotations

import socket
from typing import Any

import requests

from execsvc.sandbox.server import Sandbox

PATIENCE = 30.0
ORDER = {
    "key_id": "k",
    "symbol": "BTC/USDT",
    "side": "buy",
    "amount": 0.01,
    "order_type": "market",
    "price": None,
    "client_order_id": "intent-1",
}


def get(sandbox: Sandbox, path: str, **query: Any) -> Any:
    """The JSON of a GET that has to succeed."""
    answer = requests.get(sandbox.url + path, params=query, timeout=PATIENCE)
    assert answer.status_code == 200, answer.text
    return answer.json()


def put(sandbox: Sandbox, path: str, body: Any) -> None:
    """A PUT that has to succeed."""
    answer = requests.put(sandbox.url + path, json=body, timeout=PATIENCE)
    assert answer.status_code == 200, answer.text


def pin(sandbox: Sandbox, **changes: Any) -> None:
    """Change the market."""
    put(sandbox, "/sandbox/market", changes)


def fault(sandbox: Sandbox, kind: str, call: str = "order", **members: Any) -> None:
    """Order a fault."""
    rule = {"kind": kind, "call": call, **members}
    answer = requests.post(f"{sandbox.url}/sandbox/faults", json=rule, timeout=PATIENCE)
    assert answer.status_code == 200, answer.text


def place(sandbox: Sandbox, timeout: float = PATIENCE, **members: Any) -> requests.Response:
    """Buy 0.01 BTC, unless ``members`` say otherwise."""
    body = {**ORDER, **members}
    return requests.post(f"{sandbox.url}/order", json=body, timeout=timeout, allow_redirects=False)


def ticker(sandbox: Sandbox) -> requests.Response:
    """Ask for the price of BTC."""
    query = {"key_id": "k", "symbol": "BTC/USDT"}
    return requests.get(f"{sandbox.url}/market/ticker", params=query, timeout=PATIENCE)


def raw_ticker(sandbox: Sandbox) -> socket.socket:
    """A connection on which the price of BTC has been asked for."""
    connection = socket.create_connection(("127.0.0.1", int(sandbox.url.rsplit(":", 1)[1])))
    connection.settimeout(PATIENCE)
    path = "/market/ticker?key_id=k&symbol=BTC/USDT"
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return connection


def orders(sandbox: Sandbox) -> list[dict[str, Any]]:
    """All orders of the account, by the books."""
    listed: list[dict[str, Any]] = get(sandbox, "/sandbox/books")["accounts"]["k"]["orders"]
    return listed


def filled(sandbox: Sandbox) -> list[str]:
    """The filled quantity of each order."""
    return [order["filled"] for order in orders(sandbox)]


def hits(sandbox: Sandbox) -> int:
    """The count of requests that got a fault."""
    return sum(rule["hits"] for rule in get(sandbox, "/sandbox/faults"))
