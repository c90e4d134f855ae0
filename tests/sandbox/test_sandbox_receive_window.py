"""An order that a busy machine reaches too late is refused, where a test asks for that."""

from __future__ import annotations

import json
import socket
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from support.deadline import eventually
from support.sandbox_calls import ORDER, PATIENCE, fault, filled, orders, place, put

from execsvc.clock import from_iso
from execsvc.sandbox.exchange import OUTSIDE_WINDOW
from execsvc.sandbox.server import Sandbox

BUSY = 1.0
"""Seconds for which the sandbox does not get round to an order."""


def behind_a_slow_request(sandbox: Sandbox) -> str:
    """The end of the answers to a slow request and to an order that waits behind it, unread."""
    fault(sandbox, "slow", call="balance", seconds=BUSY)
    body = json.dumps(ORDER).encode()
    head = f"POST /order HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
    host, port = urlsplit(sandbox.url).hostname, urlsplit(sandbox.url).port
    with socket.create_connection((host, port), PATIENCE) as connection:
        connection.sendall(b"GET /balance/k HTTP/1.1\r\nHost: x\r\n\r\n")
        eventually(
            lambda: sandbox.state.request_log.report(0)["counts"].get("balance"), "it is read"
        )
        connection.sendall(head.encode() + b"Connection: close\r\n\r\n" + body)
        answers = b""
        while part := connection.recv(65536):
            answers += part
    return answers.decode()


def test_receive_window_order_waited_longer_refuses_it(faulty_sandbox: Sandbox) -> None:
    put(faulty_sandbox, "/sandbox/adapter", {"receive_window": BUSY / 2})
    answers = behind_a_slow_request(faulty_sandbox)
    assert "500 Internal Server Error" in answers
    assert OUTSIDE_WINDOW in answers
    assert filled(faulty_sandbox) == ["0"]
    assert orders(faulty_sandbox)[0]["refused"] == OUTSIDE_WINDOW


@pytest.mark.parametrize("window", [None, 60 * BUSY])
def test_receive_window_none_or_long_executes_an_order_that_waited(
    faulty_sandbox: Sandbox, window: float | None
) -> None:
    put(faulty_sandbox, "/sandbox/adapter", {"receive_window": window})
    assert OUTSIDE_WINDOW not in behind_a_slow_request(faulty_sandbox)
    assert filled(faulty_sandbox) == ["0.01"]


@pytest.mark.parametrize("kind", ["late", "slow"])
def test_receive_window_fault_delays_the_order_on_purpose_executes_it(
    faulty_sandbox: Sandbox, kind: str
) -> None:
    put(faulty_sandbox, "/sandbox/adapter", {"receive_window": 30.0})
    fault(faulty_sandbox, kind, seconds=BUSY, status=500)
    place(faulty_sandbox)
    eventually(lambda: filled(faulty_sandbox) == ["0.01"], "it is executed")
    (record,) = faulty_sandbox.state.exchange.account("k").orders
    assert record.expires_at is not None
    received = from_iso(orders(faulty_sandbox)[0]["received_at"])
    assert record.expires_at - received > timedelta(seconds=30.0 + BUSY / 2)


def test_receive_window_order_filled_in_part_fills_the_rest_later(faulty_sandbox: Sandbox) -> None:
    put(faulty_sandbox, "/sandbox/adapter", {"receive_window": 30.0})
    fault(faulty_sandbox, "open", fraction="0.4", seconds=0.0)
    place(faulty_sandbox)
    (record,) = faulty_sandbox.state.exchange.account("k").orders
    eventually(lambda: filled(faulty_sandbox) == ["0.01"], "the rest is filled")
    record.postpone(-3600.0)
    assert record.expires_at is not None
    faulty_sandbox.state.exchange.execute_rest(record)
    assert filled(faulty_sandbox) == ["0.01"]
