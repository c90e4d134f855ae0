"""Faults on the wire, as their faulty_sandbox sees them and as the books have them."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
from support.deadline import eventually
from support.sandbox_calls import fault, filled, hits, place, raw_ticker, ticker

from execsvc.sandbox.server import Sandbox


@pytest.mark.parametrize("kind", ["reset", "close"])
@pytest.mark.parametrize(("execute", "expected"), [(False, "0"), (True, "0.01")])
def test_the_connection_breaks_before_and_after_execution(
    faulty_sandbox: Sandbox, kind: str, execute: bool, expected: str
) -> None:
    fault(faulty_sandbox, kind, execute=execute)
    with pytest.raises(requests.ConnectionError):
        place(faulty_sandbox)
    assert filled(faulty_sandbox) == [expected]


def test_a_reset_is_a_reset_and_a_close_is_a_close(faulty_sandbox: Sandbox) -> None:
    fault(faulty_sandbox, "reset", "ticker")
    with raw_ticker(faulty_sandbox) as connection, pytest.raises(ConnectionResetError):
        connection.recv(1)
    fault(faulty_sandbox, "close", "ticker")
    with raw_ticker(faulty_sandbox) as connection:
        assert connection.recv(1) == b""


@pytest.mark.parametrize(("execute", "expected"), [(False, "0"), (True, "0.01")])
def test_fault_hang_before_and_after_execution(
    faulty_sandbox: Sandbox, execute: bool, expected: str
) -> None:
    fault(faulty_sandbox, "hang", execute=execute)
    with pytest.raises(requests.ReadTimeout):
        place(faulty_sandbox, timeout=0.5)
    eventually(lambda: hits(faulty_sandbox) == 1)
    place(faulty_sandbox)
    assert filled(faulty_sandbox) == [expected, "0.01"]


def test_a_hang_ends_after_its_seconds(faulty_sandbox: Sandbox) -> None:
    fault(faulty_sandbox, "hang", seconds=0.2)
    with pytest.raises(requests.ConnectionError):
        place(faulty_sandbox)


def test_a_hang_lets_go_of_a_client_that_left(faulty_sandbox: Sandbox) -> None:
    fault(faulty_sandbox, "hang", "ticker")
    connection = raw_ticker(faulty_sandbox)
    eventually(lambda: hits(faulty_sandbox) == 1)
    server = faulty_sandbox._server
    assert server is not None
    assert server._connections
    connection.close()
    eventually(lambda: not server._connections)


def test_fault_drip_sends_the_body_byte_by_byte(faulty_sandbox: Sandbox) -> None:
    fault(faulty_sandbox, "drip", "ticker", seconds=0)
    assert ticker(faulty_sandbox).json()["price"] == 50000.0
    fault(faulty_sandbox, "drip", "ticker", seconds=60)
    with raw_ticker(faulty_sandbox) as connection:
        told = b""
        while len(told.partition(b"\r\n\r\n")[2]) < 1:
            told += connection.recv(1000)
        connection.settimeout(0.3)
        with pytest.raises(TimeoutError):
            connection.recv(1000)
        assert told.endswith(b"\r\n\r\n{")


def test_fault_drip_head_sends_the_reply_byte_by_byte(faulty_sandbox: Sandbox) -> None:
    fault(faulty_sandbox, "drip_head", "ticker", seconds=0)
    assert ticker(faulty_sandbox).json()["price"] == 50000.0
    fault(faulty_sandbox, "drip_head", "ticker", seconds=60)
    with raw_ticker(faulty_sandbox) as connection:
        assert connection.recv(1000) == b"H"


def test_fault_lie_announces_a_longer_body(faulty_sandbox: Sandbox) -> None:
    fault(faulty_sandbox, "lie")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        place(faulty_sandbox)
    assert filled(faulty_sandbox) == ["0.01"]


def test_fault_endless_head_sends_headers_without_an_end(faulty_sandbox: Sandbox) -> None:
    fault(faulty_sandbox, "endless_head", "ticker")
    with raw_ticker(faulty_sandbox) as connection:
        told = b""
        while len(told) < 1_000_000:
            told += connection.recv(65536)
        assert b"\r\n\r\n" not in told


def test_fault_garbage_answers_no_json(faulty_sandbox: Sandbox) -> None:
    fault(faulty_sandbox, "garbage")
    answer = place(faulty_sandbox)
    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.text)
    assert filled(faulty_sandbox) == ["0.01"]


@pytest.mark.parametrize("body", ["", "[" * 1000, {"price": "NaN"}, [], None, -1])
def test_fault_body_is_answered_as_given(faulty_sandbox: Sandbox, body: Any) -> None:
    fault(faulty_sandbox, "body", "ticker", body=body)
    assert ticker(faulty_sandbox).text == (body if isinstance(body, str) else json.dumps(body))


def test_fault_redirect_answers_a_location(faulty_sandbox: Sandbox) -> None:
    fault(faulty_sandbox, "redirect", detail="/elsewhere")
    answer = place(faulty_sandbox)
    assert (answer.status_code, answer.headers["Location"]) == (307, "/elsewhere")
    assert filled(faulty_sandbox) == ["0"]


def test_fault_patch_is_merged_into_the_answer(faulty_sandbox: Sandbox) -> None:
    fault(faulty_sandbox, "patch", body={"details": {"filled": 0, "status": "open"}})
    body = place(faulty_sandbox).json()
    assert (body["details"]["filled"], body["details"]["status"]) == (0, "open")
    assert body["details"]["amount"] == 0.01
    assert filled(faulty_sandbox) == ["0.01"]
