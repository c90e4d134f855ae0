"""The sandbox as a BotService that is told of orders, starts and stops."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from execsvc.sandbox.server import Sandbox

ORDER = {
    "bot_id": "b1",
    "symbol": "BTC/USDT",
    "side": "BUY",
    "quantity": 0.1,
    "reason": "dip",
    "timestamp": "2026-01-01T00:00:00.000Z",
}
EXECUTION = {
    "exchange_trade_id": "c1",
    "exchange_order_id": "54",
    "symbol": "BTC/USDT",
    "side": "BUY",
    "price": 50000,
    "quantity": 0.1,
    "quote_qty": 5000,
    "fee": 0.0001,
    "fee_asset": "BTC",
    "timestamp": "2026-01-01T00:00:00.000Z",
}


def send(sandbox: Sandbox, method: str, path: str, body: Any, **headers: str) -> requests.Response:
    return requests.request(method, sandbox.url + path, json=body, headers=headers, timeout=60)


@pytest.fixture(autouse=True)
def two_bots(sandbox: Sandbox) -> None:
    rows = [{"id": bot_id, "status": "RUNNING"} for bot_id in ("b1", "b2")]
    send(sandbox, "PUT", "/sandbox/bots", rows)


def told(sandbox: Sandbox) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = send(sandbox, "GET", "/sandbox/reports", None).json()
    return found


def test_reports_of_an_order_are_kept_as_they_came(sandbox: Sandbox) -> None:
    answer = send(sandbox, "POST", "/orders", ORDER, **{"Idempotency-Key": "k"})
    assert answer.status_code == 201
    given = answer.json()["id"]
    status = send(sandbox, "PUT", f"/orders/{given}/status", {"status": "SENT"})
    assert status.status_code == 200
    whole = {"local_order_id": given, **EXECUTION}
    assert send(sandbox, "POST", "/executions", whole).status_code == 201
    entries = told(sandbox)
    assert [(e["what"], e["id"], e["bot_id"], e["key"]) for e in entries] == [
        ("ORDER", given, "b1", "k"),
        ("SENT", given, "b1", None),
        ("EXECUTION", given, "b1", None),
    ]
    assert entries[2]["body"]["quote_qty"] == "5000"
    send(sandbox, "DELETE", "/sandbox/reports", None)
    assert told(sandbox) == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/orders", {**ORDER, "client_order_id": "c1"}, 422),
        ("POST", "/orders", {**ORDER, "side": "buy"}, 422),
        ("POST", "/orders", {"bot_id": "b1"}, 422),
        ("POST", "/orders", {**ORDER, "bot_id": "unheard of"}, 404),
        ("POST", "/orders", {**ORDER, "session_id": "unknown"}, 404),
        ("PUT", "/orders/unknown/status", {"status": "SENT"}, 404),
        ("PUT", "/orders/unknown/status", {"status": "DONE"}, 422),
        ("POST", "/executions", {"local_order_id": "unknown", **EXECUTION}, 404),
        ("POST", "/executions", EXECUTION, 422),
        ("GET", "/orders", None, 404),
    ],
)
def test_report_unusable_is_refused(
    sandbox: Sandbox, method: str, path: str, body: Any, status: int
) -> None:
    assert send(sandbox, method, path, body).status_code == status
    assert told(sandbox) == []


def test_faults_of_one_bot_and_of_one_call(sandbox: Sandbox) -> None:
    rules = [
        {"kind": "status", "call": "report_order", "match": {"bot_id": "b2"}, "times": None},
        {"kind": "status", "call": "report_status", "status": 409, "execute": True},
        {"kind": "status", "call": "stop_bot", "status": 400},
    ]
    send(sandbox, "POST", "/sandbox/faults", rules)
    assert send(sandbox, "POST", "/orders", {**ORDER, "bot_id": "b2"}).status_code == 500
    given = send(sandbox, "POST", "/orders", ORDER).json()["id"]
    status = send(sandbox, "PUT", f"/orders/{given}/status", {"status": "SENT"})
    assert status.status_code == 409
    assert [entry["what"] for entry in told(sandbox)] == ["ORDER", "SENT"]
    assert send(sandbox, "POST", "/bots/b1/stop", {}).status_code == 400
    assert send(sandbox, "GET", "/bots/b1", None).json()["status"] == "RUNNING"
    assert send(sandbox, "POST", "/bots/b1/stop", {}).json()["status"] == "ENDED"
