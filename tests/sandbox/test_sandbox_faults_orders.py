"""Faults in what becomes of an order, as its faulty_sandbox sees them and as the books have them."""

from __future__ import annotations

from datetime import timedelta

import pytest
import requests
from support.deadline import eventually
from support.sandbox_calls import fault, filled, orders, place

from execsvc.clock import from_iso
from execsvc.sandbox.server import Sandbox


def test_refused_in_the_words_of_an_exchange(faulty_sandbox: Sandbox) -> None:
    fault(faulty_sandbox, "refuse", times=1)
    fault(faulty_sandbox, "refuse", detail="binance Filter failure: LOT_SIZE")
    details = [place(faulty_sandbox).json()["detail"] for _ in range(2)]
    assert "insufficient balance" in details[0]
    assert details[1] == "binance Filter failure: LOT_SIZE"
    assert filled(faulty_sandbox) == ["0", "0"]


@pytest.mark.parametrize(("execute", "expected"), [(False, "0"), (True, "0.01"), (None, "0")])
def test_any_status_before_and_after_execution(
    faulty_sandbox: Sandbox, execute: bool | None, expected: str
) -> None:
    fault(
        faulty_sandbox,
        "status",
        status=503,
        execute=execute,
        detail="tired",
        headers={"Retry-After": "7"},
    )
    answer = place(faulty_sandbox)
    assert (answer.status_code, answer.json()) == (503, {"detail": "tired"})
    assert answer.headers["Retry-After"] == "7"
    assert filled(faulty_sandbox) == [expected]


@pytest.mark.parametrize("execute", [False, True])
def test_fault_slow_answers_late(faulty_sandbox: Sandbox, execute: bool) -> None:
    fault(faulty_sandbox, "slow", seconds=0.7, execute=execute)
    assert place(faulty_sandbox).json()["details"]["filled"] == 0.01
    received, executed, answered = (
        from_iso(orders(faulty_sandbox)[0][name])
        for name in ("received_at", "executed_at", "answered_at")
    )
    waited = answered - executed if execute else executed - received
    assert waited >= timedelta(seconds=0.69)


def test_slow_executes_after_its_client_has_left(faulty_sandbox: Sandbox) -> None:
    fault(faulty_sandbox, "slow", seconds=1.0)
    with pytest.raises(requests.ReadTimeout):
        place(faulty_sandbox, timeout=0.2)
    eventually(lambda: filled(faulty_sandbox) == ["0.01"])


def test_fault_late_executes_after_a_hang(faulty_sandbox: Sandbox) -> None:
    fault(faulty_sandbox, "late", seconds=1.0)
    with pytest.raises(requests.ReadTimeout):
        place(faulty_sandbox, timeout=0.2)
    eventually(lambda: filled(faulty_sandbox) == ["0.01"])


def test_fault_late_executes_after_an_answer(faulty_sandbox: Sandbox) -> None:
    fault(faulty_sandbox, "late", seconds=0.5, status=500, detail="timed out")
    answer = place(faulty_sandbox)
    assert (answer.status_code, answer.json()) == (500, {"detail": "timed out"})
    eventually(lambda: filled(faulty_sandbox) == ["0.01"])
    order = orders(faulty_sandbox)[0]
    assert order["executed_at"] > order["answered_at"]


def test_fault_late_order_may_be_refused(faulty_sandbox: Sandbox) -> None:
    fault(faulty_sandbox, "late", seconds=0.3, status=500)
    place(faulty_sandbox, side="sell")
    eventually(lambda: orders(faulty_sandbox)[0]["refused"] is not None)
    assert filled(faulty_sandbox) == ["0"]


def test_fault_partial_fills_a_part(faulty_sandbox: Sandbox) -> None:
    fault(faulty_sandbox, "partial")
    fault(faulty_sandbox, "partial", fraction=0.25, order_status="expired")
    details = [place(faulty_sandbox).json()["details"] for _ in range(2)]
    assert [(told["filled"], told["status"]) for told in details] == [
        (0.005, "canceled"),
        (0.0025, "expired"),
    ]
    assert filled(faulty_sandbox) == ["0.005", "0.0025"]


def test_fault_open_answers_an_open_order(faulty_sandbox: Sandbox) -> None:
    fault(faulty_sandbox, "open")
    details = place(faulty_sandbox).json()["details"]
    assert (details["filled"], details["remaining"], details["status"]) == (0.005, 0.005, "open")
    assert filled(faulty_sandbox) == ["0.005"]


def test_open_and_filled_later_even_if_the_rest_is_too_little(faulty_sandbox: Sandbox) -> None:
    fault(faulty_sandbox, "open", fraction=0.995, seconds=0.5)
    assert place(faulty_sandbox).json()["details"]["filled"] == 0.00995
    eventually(lambda: filled(faulty_sandbox) == ["0.01"])
    assert orders(faulty_sandbox)[0]["refused"] is None


def test_fault_null_filled_answers_null(faulty_sandbox: Sandbox) -> None:
    fault(faulty_sandbox, "null_filled")
    details = place(faulty_sandbox).json()["details"]
    assert [details[name] for name in ("filled", "remaining", "average", "cost")] == [None] * 4
    assert filled(faulty_sandbox) == ["0.01"]


def test_fault_no_details_answers_null(faulty_sandbox: Sandbox) -> None:
    fault(faulty_sandbox, "no_details")
    assert place(faulty_sandbox).json()["details"] is None
    assert filled(faulty_sandbox) == ["0.01"]


def test_fault_no_fee_reports_none(faulty_sandbox: Sandbox) -> None:
    fault(faulty_sandbox, "no_fee")
    details = place(faulty_sandbox).json()["details"]
    assert (details["fee"], details["fees"]) == (None, [])
    assert orders(faulty_sandbox)[0]["base_fee"] == "0.00001"


def free_base(sandbox: Sandbox) -> float:
    assets = requests.get(f"{sandbox.url}/balance/k", timeout=60).json()["assets"]
    return sum(row["free"] for row in assets if row["asset"] == "BTC")


def test_fault_lag_of_an_order_shows_its_execution_later(faulty_sandbox: Sandbox) -> None:
    fault(faulty_sandbox, "lag", seconds=3600)
    place(faulty_sandbox)
    assert free_base(faulty_sandbox) == 0
    place(faulty_sandbox)
    assert free_base(faulty_sandbox) == 0.00999
    told = requests.get(f"{faulty_sandbox.url}/sandbox/books", timeout=60).json()["accounts"]["k"]
    assert told["balances"]["BTC"]["free"] == "0.01998"


def test_fault_lag_of_a_balance_answers_an_old_one(faulty_sandbox: Sandbox) -> None:
    place(faulty_sandbox)
    fault(faulty_sandbox, "lag", "balance", seconds=3600)
    assert free_base(faulty_sandbox) == 0
    assert free_base(faulty_sandbox) == 0.00999


def test_lag_and_part_go_with_any_kind(faulty_sandbox: Sandbox) -> None:
    fault(faulty_sandbox, "status", execute=True, fraction=0.5, lag=1.0)
    assert place(faulty_sandbox).status_code == 500
    assert filled(faulty_sandbox) == ["0.005"]
    eventually(lambda: free_base(faulty_sandbox) == 0.004995)
