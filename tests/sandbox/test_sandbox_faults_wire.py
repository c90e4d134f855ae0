"""Faults on the wire, as their victim sees them and as the books have them."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
from support.deadline import eventually
from support.victim import fault, filled, hits, place, raw_ticker, ticker

from execsvc.sandbox.server import Sandbox


@pytest.mark.parametrize("kind", ["reset", "close"])
@pytest.mark.parametrize(("execute", "expected"), [(False, "0"), (True, "0.01")])
def test_the_connection_breaks_before_and_after_execution(
    victim: Sandbox, kind: str, execute: bool, expected: str
) -> None:
    fault(victim, kind, execute=execute)
    with pytest.raises(requests.ConnectionError):
        place(victim)
    assert filled(victim) == [expected]


def test_a_reset_is_a_reset_and_a_close_is_a_close(victim: Sandbox) -> None:
    fault(victim, "reset", "ticker")
    with raw_ticker(victim) as connection, pytest.raises(ConnectionResetError):
        connection.recv(1)
    fault(victim, "close", "ticker")
    with raw_ticker(victim) as connection:
        assert connection.recv(1) == b""


@pytest.mark.parametrize(("execute", "expected"), [(False, "0"), (True, "0.01")])
def test_fault_hang_before_and_after_execution(
    victim: Sandbox, execute: bool, expected: str
) -> None:
    fault(victim, "hang", execute=execute)
    with pytest.raises(requests.ReadTimeout):
        place(victim, timeout=0.5)
    eventually(lambda: hits(victim) == 1)
    place(victim)
    assert filled(victim) == [expected, "0.01"]


def test_a_hang_ends_after_its_seconds(victim: Sandbox) -> None:
    fault(victim, "hang", seconds=0.2)
    with pytest.raises(requests.ConnectionError):
        place(victim)


def test_a_hang_lets_go_of_a_client_that_left(victim: Sandbox) -> None:
    fault(victim, "hang", "ticker")
    connection = raw_ticker(victim)
    eventually(lambda: hits(victim) == 1)
    server = victim._server
    assert server is not None
    assert server._connections
    connection.close()
    eventually(lambda: not server._connections)


def test_fault_drip_sends_the_body_byte_by_byte(victim: Sandbox) -> None:
    fault(victim, "drip", "ticker", seconds=0)
    assert ticker(victim).json()["price"] == 50000.0
    fault(victim, "drip", "ticker", seconds=60)
    with raw_ticker(victim) as connection:
        told = b""
        while len(told.partition(b"\r\n\r\n")[2]) < 1:
            told += connection.recv(1000)
        connection.settimeout(0.3)
        with pytest.raises(TimeoutError):
            connection.recv(1000)
        assert told.endswith(b"\r\n\r\n{")


def test_fault_drip_head_sends_the_reply_byte_by_byte(victim: Sandbox) -> None:
    fault(victim, "drip_head", "ticker", seconds=0)
    assert ticker(victim).json()["price"] == 50000.0
    fault(victim, "drip_head", "ticker", seconds=60)
    with raw_ticker(victim) as connection:
        assert connection.recv(1000) == b"H"


def test_fault_lie_announces_a_longer_body(victim: Sandbox) -> None:
    fault(victim, "lie")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        place(victim)
    assert filled(victim) == ["0.01"]


def test_fault_endless_head_sends_headers_without_an_end(victim: Sandbox) -> None:
    fault(victim, "endless_head", "ticker")
    with raw_ticker(victim) as connection:
        told = b""
        while len(told) < 1_000_000:
            told += connection.recv(65536)
        assert b"\r\n\r\n" not in told


def test_fault_garbage_answers_no_json(victim: Sandbox) -> None:
    fault(victim, "garbage")
    answer = place(victim)
    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.text)
    assert filled(victim) == ["0.01"]


@pytest.mark.parametrize("body", ["", "[" * 1000, {"price": "NaN"}, [], None, -1])
def test_fault_body_is_answered_as_given(victim: Sandbox, body: Any) -> None:
    fault(victim, "body", "ticker", body=body)
    assert ticker(victim).text == (body if isinstance(body, str) else json.dumps(body))


def test_fault_redirect_answers_a_location(victim: Sandbox) -> None:
    fault(victim, "redirect", detail="/elsewhere")
    answer = place(victim)
    assert (answer.status_code, answer.headers["Location"]) == (307, "/elsewhere")
    assert filled(victim) == ["0"]


def test_fault_patch_is_merged_into_the_answer(victim: Sandbox) -> None:
    fault(victim, "patch", body={"details": {"filled": 0, "status": "open"}})
    body = place(victim).json()
    assert (body["details"]["filled"], body["details"]["status"]) == (0, "open")
    assert body["details"]["amount"] == 0.01
    assert filled(victim) == ["0.01"]
