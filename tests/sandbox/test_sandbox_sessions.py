"""The sandbox as BotService keeps sessions, orders and executions, row by row of BOTSERVICE.md."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
import requests
from support.deadline import eventually

from execsvc.sandbox.server import Sandbox

ROW = {
    "name": "mine",
    "status_message": "as I said",
    "global_settings": {"exchange": "k1", "symbol": "BTC/USDT"},
    "pipeline": {"strategy": {"id": "test_trading_v1", "params": {}}},
}


class Service:
    """A BotService over HTTP, and one bot of it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.bot_id = self.call("POST", "/bots", ROW, 201)["id"]

    def call(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        answer = requests.request(method, self.url + path, json=body, timeout=60)
        assert answer.status_code == status, answer.text
        return answer.json()

    def bot(self, method: str, path: str = "", body: Any = None, status: int = 200) -> Any:
        return self.call(method, f"/bots/{self.bot_id}{path}", body, status)

    def order(self, side: str = "BUY", status: int = 201, **members: Any) -> Any:
        body = {
            "bot_id": self.bot_id,
            "symbol": "BTC/USDT",
            "side": side,
            "quantity": 0.5,
            "reason": "dip",
            "timestamp": "2026-01-01T00:00:00Z",
        }
        return self.call("POST", "/orders", {**body, **members}, status)

    def execute(
        self, order: Any, trade: str, price: float, second: int = 0, status: int = 201
    ) -> Any:
        quantity = order["quantity"]
        body = {
            "local_order_id": order["id"],
            "exchange_trade_id": trade,
            "exchange_order_id": "54",
            "order_list_id": -1,
            "symbol": "BTC/USDT",
            "side": order["side"],
            "price": price,
            "quantity": quantity,
            "quote_qty": price * quantity,
            "fee": 0.25,
            "timestamp": f"2026-01-01T00:00:{second:02}Z",
        }
        return self.call("POST", "/executions", body, status)

    def status(self) -> str:
        found: str = self.bot("GET")["status"]
        return found

    def tables(self) -> Any:
        return self.call("GET", "/sandbox/sessions")


@pytest.fixture
def service(sandbox: Sandbox) -> Service:
    return Service(sandbox.url)


def test_a_new_bot_has_what_was_sent_and_is_stopped(service: Service) -> None:
    row = service.bot("GET")
    assert {name: row[name] for name in ROW} == ROW
    assert row["status"] == "STOPPED"
    assert datetime.fromisoformat(row["created_at"]).tzinfo is None


def test_put_replaces_name_status_and_configuration_but_not_the_message(service: Service) -> None:
    sent = {"name": "other", "status": "BOOTING", "status_message": "x", "global_settings": {}}
    row = service.bot("PUT", "", sent)
    assert (row["name"], row["status"], row["global_settings"]) == ("other", "BOOTING", {})
    assert row["pipeline"] is None, "what is not sent is replaced all the same"
    assert row["status_message"] == "as I said"
    assert service.bot("GET") == row


def test_start_opens_a_session_and_ends_the_one_before(service: Service) -> None:
    first = service.bot("POST", "/start")
    assert first.keys() == {"id", "bot_id", "start_time", "end_time", "status", "summary"}
    assert (first["bot_id"], first["status"], first["end_time"]) == (
        service.bot_id,
        "ACTIVE",
        None,
    )
    assert service.status() == "RUNNING"
    second = service.bot("POST", "/start")
    found = service.bot("GET", "/sessions")
    assert [session["id"] for session in found] == [second["id"], first["id"]]
    assert [session["status"] for session in found] == ["ACTIVE", "ENDED"]
    assert datetime.fromisoformat(found[1]["end_time"]).tzinfo is None


def test_stop_ends_the_session(service: Service) -> None:
    started = service.bot("POST", "/start")
    ended = service.bot("POST", "/stop")
    assert (ended["id"], ended["status"]) == (started["id"], "ENDED")
    assert ended["end_time"] is not None
    assert service.status() == "STOPPED"


def test_stop_without_a_session_is_refused_and_stops_all_the_same(service: Service) -> None:
    service.bot("PUT", "", {**ROW, "status": "STOPPING"})
    refused = service.bot("POST", "/stop", status=400)
    assert refused == {"detail": "No active session found to stop"}
    assert service.status() == "STOPPED"


def test_order_goes_to_the_active_session(service: Service) -> None:
    session = service.bot("POST", "/start")
    order = service.order()
    assert (order["status"], order["session_id"]) == ("PENDING", session["id"])
    assert order["timestamp"] == "2026-01-01T00:00:00.000000"
    sent = service.call("PUT", f"/orders/{order['id']}/status", {"status": "SENT"})
    assert sent["status"] == "SENT"
    whole = service.call("GET", f"/sessions/{session['id']}")
    assert whole["orders"] == [sent]
    assert [one["opened_by"] for one in service.tables()["sessions"]] == ["start"]


def test_order_goes_to_the_session_that_it_names_also_after_its_end(service: Service) -> None:
    session = service.bot("POST", "/start")
    service.bot("POST", "/stop")
    assert service.order(session_id=session["id"])["session_id"] == session["id"]
    assert [one["status"] for one in service.bot("GET", "/sessions")] == ["ENDED"]


def test_order_without_an_active_session_opens_an_emergency_session(service: Service) -> None:
    first, second = service.order(), service.order("SELL")
    assert first["session_id"] == second["session_id"]
    (session,) = service.tables()["sessions"]
    assert (session["opened_by"], session["status"]) == ("order", "ACTIVE")
    assert len(session["orders"]) == 2
    assert service.status() == "STOPPED", "a session is opened, the row is let be"
    assert service.bot("POST", "/stop")["id"] == first["session_id"]


def test_idempotency_key_counts_only_with_the_feature(sandbox: Sandbox) -> None:
    service = Service(sandbox.url)
    key = {"Idempotency-Key": "c1-order"}

    def post() -> str:
        body = {**ORDER, "bot_id": service.bot_id}
        answer = requests.post(f"{sandbox.url}/orders", json=body, headers=key, timeout=60)
        assert answer.status_code == 201, answer.text
        given: str = answer.json()["id"]
        return given

    assert post() != post()
    service.call("PUT", "/sandbox/bot-service", {"deduplicate": True})
    assert post() == post()
    assert sum(len(session["orders"]) for session in service.tables()["sessions"]) == 2


ORDER = {
    "symbol": "BTC/USDT",
    "side": "BUY",
    "quantity": 1,
    "reason": "dip",
    "timestamp": "2026-01-01T00:00:00Z",
}


def test_a_second_execution_with_a_trade_id_is_refused(service: Service) -> None:
    order = service.order()
    service.execute(order, "t1", 100)
    assert "t1" in service.execute(order, "t1", 100, status=400)["detail"]
    service.execute(order, "t2", 100)
    assert [one["exchange_trade_id"] for one in service.tables()["executions"]] == ["t1", "t2"]


def test_sell_is_matched_with_the_oldest_buys_whatever_came_first(service: Service) -> None:
    session = service.bot("POST", "/start")
    late, early = service.order(quantity=1.0), service.order(quantity=1.0)
    service.execute(late, "t2", 200, second=2)
    service.execute(early, "t1", 100, second=1)
    sell = service.order("SELL", quantity=1.5)
    service.execute(sell, "t3", 210, second=3)
    # 1 of the BUY at 100 and half of the one at 200.
    assert service.call("GET", f"/sessions/{session['id']}")["summary"] == {
        "result": 115.0,
        "fee": 0.75,
        "win_rate": 1.0,
    }
    last = service.order("SELL", quantity=2.0)
    service.execute(last, "t4", 190, second=4)
    # Half of the BUY at 200 is left, and the rest has no BUY.
    assert service.bot("GET", "/stats") == {
        "result": 110.0,
        "win_rate": 0.5,
        "profit_factor": 23.0,
    }


def test_results_are_of_the_session_of_the_order(service: Service) -> None:
    service.bot("POST", "/start")
    service.execute(service.order(quantity=1.0), "t1", 100, second=1)
    service.bot("POST", "/start")
    service.execute(service.order("SELL", quantity=1.0), "t2", 90, second=2)
    summaries = [one["summary"] for one in service.bot("GET", "/sessions")]
    assert [(one["result"], one["win_rate"]) for one in summaries] == [(-10.0, 0.0), (0.0, None)]
    assert service.bot("GET", "/stats")["profit_factor"] == 0.0


@pytest.mark.parametrize("status", ["BOOTING", "STOPPING"])
def test_a_row_that_starts_or_stops_cannot_be_deleted(service: Service, status: str) -> None:
    service.bot("PUT", "", {**ROW, "status": status})
    assert status in service.bot("DELETE", status=405)["detail"]
    service.bot("POST", "/stop", status=400)
    service.bot("DELETE")
    service.bot("GET", status=404)


@pytest.mark.parametrize(
    "call",
    [
        lambda service: service.bot("GET", status=404),
        lambda service: service.bot("PUT", "", ROW, status=404),
        lambda service: service.bot("DELETE", status=404),
        lambda service: service.bot("POST", "/start", status=404),
        lambda service: service.bot("POST", "/stop", status=404),
        lambda service: service.bot("GET", "/sessions", status=404),
        lambda service: service.bot("GET", "/stats", status=404),
        lambda service: service.order(status=404),
        lambda service: service.call("GET", "/sessions/unknown", status=404),
        lambda service: service.call("PUT", "/orders/x/status", {"status": "SENT"}, 404),
        lambda service: service.execute({"id": "x", "side": "BUY", "quantity": 1}, "t", 1, 0, 404),
    ],
)
def test_missing_row_or_session_is_404_with_a_detail(
    service: Service, call: Callable[[Service], Any]
) -> None:
    service.bot("DELETE")
    assert "not found" in call(service)["detail"]


def test_bots_that_are_only_listed_no_longer_keep_their_sessions(service: Service) -> None:
    service.call("PUT", "/sandbox/bots", [])
    assert service.order()["status"] == "PENDING"


def test_150_puts_at_the_same_moment_exhaust_the_connections(service: Service) -> None:
    service.call("PUT", "/sandbox/bot-service", {"connections": 15, "work": 2, "recovery": 1})

    def put(_: int) -> int:
        url = f"{service.url}/bots/{service.bot_id}"
        return requests.put(url, json={**ROW, "status": "BOOTING"}, timeout=60).status_code

    with ThreadPoolExecutor(150) as pool:
        answers = list(pool.map(put, range(150)))
    assert set(answers) == {200, 500}
    assert answers.count(200) >= 15
    eventually(lambda: put(0) == 200, "the connections are free again")
    assert put(0) == 200, "one after the other is no trouble"


def test_any_number_of_puts_is_fine_without_a_limit(service: Service) -> None:
    def put(_: int) -> int:
        url = f"{service.url}/bots/{service.bot_id}"
        return requests.put(url, json=ROW, timeout=60).status_code

    with ThreadPoolExecutor(150) as pool:
        assert set(pool.map(put, range(150))) == {200}


def test_fault_of_bot_service_applies_to_all_of_its_calls_alone(
    service: Service,
) -> None:
    rule = {"kind": "status", "status": 503, "call": "bot_service", "times": None}
    service.call("POST", "/sandbox/faults", rule)
    service.bot("GET", status=503)
    service.bot("PUT", "", ROW, status=503)
    service.order(status=503)
    service.call("GET", "/market/ticker?key_id=k1&symbol=BTC/USDT")
    assert service.tables()["sessions"] == []
    service.call("DELETE", "/sandbox/faults")
    service.call("POST", "/sandbox/faults", {"kind": "status", "status": 503, "times": 1})
    service.bot("GET")
    service.call("GET", "/market/ticker?key_id=k1&symbol=BTC/USDT", status=503)
