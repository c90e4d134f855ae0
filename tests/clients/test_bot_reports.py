"""The calls that tell BotService something: bodies, paths, keys, and what counts as taken."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
import responses

from execsvc.clients.bot_reports import BotReports, NoSuchCall, ReportRefused
from execsvc.clients.http import HttpClient
from execsvc.errors import Unavailable
from execsvc.model.order_report import ExecutionReport, OrderReport

URL = "http://bots"
ORDER = OrderReport(
    bot_id="b1",
    symbol="BTC/USDT",
    side="BUY",
    quantity=Decimal("1.60E-7"),
    reason="dip",
    timestamp="2026-01-01T00:00:00.000Z",
)
EXECUTION = ExecutionReport(
    exchange_trade_id="c1",
    exchange_order_id="54",
    symbol="BTC/USDT",
    side="SELL",
    price=Decimal("88162.080"),
    quantity=Decimal("0.1"),
    quote_qty=Decimal(8816),
    fee=Decimal(0),
    fee_asset="USDT",
    timestamp="2026-01-01T00:00:00.000Z",
)
Calls = dict[str, Callable[[BotReports], Any]]
CALLS: Calls = {
    "POST /orders": lambda service: service.order(ORDER, "c1"),
    "PUT /orders/7/status": lambda service: service.status(7, "SENT"),
    "POST /executions": lambda service: service.execution(7, EXECUTION, "c1"),
    "POST /bots/b1/start": lambda service: service.started("b1"),
    "POST /bots/b1/stop": lambda service: service.stopped("b1"),
}


@pytest.fixture
def mock() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as made:
        yield made


@pytest.fixture
def service() -> BotReports:
    return BotReports(HttpClient(URL, "hush", 5.0))


def answered(mock: responses.RequestsMock, call: str, status: int, body: str, **rest: Any) -> None:
    method, path = call.split(" ")
    mock.add(method, URL + path, body=body, status=status, **rest)


def test_order_report_sends_the_order_and_returns_its_id(
    mock: responses.RequestsMock, service: BotReports
) -> None:
    answered(mock, "POST /orders", 201, '{"id": "o-1"}')
    assert service.order(ORDER, "c1") == "o-1"
    request = mock.calls[0].request
    assert request.headers["Idempotency-Key"] == "c1-order"
    assert request.headers["Authorization"] == "Bearer hush"
    assert b'"quantity": 0.00000016,' in (request.body or b"")  # type: ignore[operator]
    assert json.loads(request.body or b"", parse_float=Decimal) == {
        "bot_id": "b1",
        "symbol": "BTC/USDT",
        "side": "BUY",
        "quantity": Decimal("0.00000016"),
        "reason": "dip",
        "timestamp": "2026-01-01T00:00:00.000Z",
    }


@pytest.mark.parametrize("given", [7, "7", "a/b"])
def test_an_id_goes_back_as_it_came(
    mock: responses.RequestsMock, service: BotReports, given: int | str
) -> None:
    answered(mock, "POST /orders", 200, json.dumps({"id": given}))
    assert service.order(ORDER, "c1") == given
    answered(mock, "POST /executions", 201, "")
    service.execution(given, EXECUTION, "c1")
    request = mock.calls[1].request
    assert request.headers["Idempotency-Key"] == "c1-execution"
    body = json.loads(request.body or b"")
    assert body["local_order_id"] == given
    assert type(body["local_order_id"]) is type(given)
    assert (body["price"], body["quantity"], body["quote_qty"]) == (88162.08, 0.1, 8816)


def test_paths_are_encoded(mock: responses.RequestsMock, service: BotReports) -> None:
    mock.add("PUT", f"{URL}/orders/a%2Fb/status", status=200)
    service.status("a/b", "FILLED")
    assert json.loads(mock.calls[0].request.body or b"") == {"status": "FILLED"}
    mock.add("POST", f"{URL}/bots/%2E%2E/start", status=200)
    service.started("..")
    mock.add("POST", f"{URL}/bots/%D0%BA%20%3F/stop", status=200)
    service.stopped("к ?")


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("status", [401, 404, 422, 500, 307])
def test_refusal_raises_report_refused(
    mock: responses.RequestsMock, service: BotReports, call: str, status: int
) -> None:
    answered(mock, call, status, '{"detail": "no hush"}', headers={"Location": URL})
    with pytest.raises(ReportRefused) as refused:
        CALLS[call](service)
    assert str(status) in str(refused.value)
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize(
    ("status", "detail", "unknown"),
    [
        (404, "Not Found", True),
        (404, "Bot not found", False),
        (404, "no such bot.", False),
        (404, "Session 7 not found", False),
        (404, "b1 is not known", False),
        (404, "No static resource bot-service/orders.", True),
        (404, "Cannot POST /bot/orders", True),
        (404, "Cannot POST /b1/orders", True),
        (405, "Method Not Allowed", True),
        (405, "this bot takes none", True),
        (501, "", True),
        (422, "Not Found", False),
    ],
)
def test_order_refused_as_an_unknown_call_is_told_from_a_missing_bot(
    mock: responses.RequestsMock, service: BotReports, status: int, detail: str, unknown: bool
) -> None:
    answered(mock, "POST /orders", status, json.dumps({"detail": detail}))
    with pytest.raises(ReportRefused) as refused:
        CALLS["POST /orders"](service)
    assert isinstance(refused.value, NoSuchCall) is unknown


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (502, {}, None),
        (503, {}, None),
        (504, {}, None),
        (429, {"Retry-After": "7"}, 7.0),
        (503, {"Retry-After": "9"}, 9.0),
    ],
)
def test_unavailable_or_busy_service_raises_unavailable(
    mock: responses.RequestsMock,
    service: BotReports,
    call: str,
    status: int,
    headers: dict[str, str],
    seconds: float | None,
) -> None:
    answered(mock, call, status, "", headers=headers)
    with pytest.raises(Unavailable) as away:
        CALLS[call](service)
    assert not isinstance(away.value, ReportRefused)
    assert away.value.retry_after == seconds


@pytest.mark.parametrize("call", CALLS)
def test_no_answer_raises_unavailable(
    mock: responses.RequestsMock, service: BotReports, call: str
) -> None:
    answered(mock, call, 200, "")
    mock.replace(*call.replace(" ", f" {URL}").split(" "), body=ConnectionResetError("reset"))
    with pytest.raises(Unavailable) as silent:
        CALLS[call](service)
    assert not isinstance(silent.value, ReportRefused)


@pytest.mark.parametrize("call", CALLS)
def test_page_of_another_service_is_a_refusal(
    mock: responses.RequestsMock, service: BotReports, call: str
) -> None:
    answered(mock, call, 200, "<html>")
    with pytest.raises(ReportRefused):
        CALLS[call](service)


@pytest.mark.parametrize("body", ["", "null", "[]", "{}", '{"id": null}', '{"id": ""}'])
def test_an_order_without_an_id_was_not_taken(
    mock: responses.RequestsMock, service: BotReports, body: str
) -> None:
    answered(mock, "POST /orders", 201, body)
    with pytest.raises(ReportRefused, match="no id"):
        service.order(ORDER, "c1")


def test_id_that_cannot_be_encoded_is_refused(
    mock: responses.RequestsMock, service: BotReports
) -> None:
    answered(mock, "POST /orders", 201, '{"id": "\\ud800"}')
    with pytest.raises(ReportRefused, match="cannot be sent back"):
        service.order(ORDER, "c1")


@pytest.mark.parametrize("given", [True, 1.5, [1], {"a": 1}])
def test_an_id_is_text_or_a_whole_number(
    mock: responses.RequestsMock, service: BotReports, given: Any
) -> None:
    answered(mock, "POST /orders", 201, json.dumps({"id": given}))
    with pytest.raises(ReportRefused, match="no id"):
        service.order(ORDER, "c1")


@pytest.mark.parametrize(
    ("call", "status"),
    [
        ("PUT /orders/7/status", 409),
        ("POST /executions", 409),
        ("POST /executions", 400),
        ("POST /bots/b1/start", 409),
        ("POST /bots/b1/stop", 409),
        ("POST /bots/b1/stop", 400),
    ],
)
def test_conflict_counts_as_reported(
    mock: responses.RequestsMock, service: BotReports, call: str, status: int
) -> None:
    answered(mock, call, status, '{"detail": "already"}')
    CALLS[call](service)


def test_conflict_of_an_order_without_id_is_refused(
    mock: responses.RequestsMock, service: BotReports
) -> None:
    answered(mock, "POST /orders", 409, '{"detail": "exists"}')
    with pytest.raises(ReportRefused):
        service.order(ORDER, "c1")


def test_an_execution_refused_for_another_reason_is_not_taken(
    mock: responses.RequestsMock, service: BotReports
) -> None:
    answered(mock, "POST /executions", 400, '{"detail": "quantity is not positive"}')
    with pytest.raises(ReportRefused, match="quantity"):
        CALLS["POST /executions"](service)
