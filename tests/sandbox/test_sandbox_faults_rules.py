"""The requests to which a fault applies."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
import requests
from support.sandbox_calls import fault, orders, place, ticker

from execsvc.sandbox.faults import FaultKind, Rule
from execsvc.sandbox.server import Sandbox
from execsvc.sandbox.wire import Manner


def test_rule_applies_to_matching_requests_alone(faulty_sandbox: Sandbox) -> None:
    fault(faulty_sandbox, "status", match={"side": "sell", "symbol": "BTC/USDT"})
    fault(faulty_sandbox, "status", match={"key_id": "other"})
    assert place(faulty_sandbox).status_code == 200
    assert (
        place(faulty_sandbox, side="sell", amount=0.005).json()["detail"]
        == "exchange request failed"
    )
    assert place(faulty_sandbox, side="sell", amount=0.005).status_code == 200
    assert place(faulty_sandbox, key_id="other").status_code == 500


def test_rule_skip_and_times_are_counted(faulty_sandbox: Sandbox) -> None:
    fault(faulty_sandbox, "status", "ticker", skip=1, times=2)
    assert [ticker(faulty_sandbox).status_code for _ in range(5)] == [200, 500, 500, 200, 200]
    assert requests.get(f"{faulty_sandbox.url}/sandbox/faults", timeout=60).json() == [
        {"kind": "status", "call": "ticker", "skip": 1, "times": 2, "matched": 3, "hits": 2}
    ]


def test_rule_without_end_applies_until_it_is_cleared(faulty_sandbox: Sandbox) -> None:
    fault(faulty_sandbox, "status", "*", times=None)
    assert [ticker(faulty_sandbox).status_code for _ in range(5)] == [500] * 5
    for path in ("/bots", "/balance/k", "/market/depth?key_id=k&symbol=A/B"):
        assert requests.get(faulty_sandbox.url + path, timeout=60).status_code == 500
    requests.delete(f"{faulty_sandbox.url}/sandbox/faults", timeout=60)
    assert ticker(faulty_sandbox).status_code == 200


def test_rule_with_a_chance_applies_to_a_part_of_the_requests(faulty_sandbox: Sandbox) -> None:
    fault(faulty_sandbox, "status", "ticker", times=None, chance=0.5)
    statuses = [ticker(faulty_sandbox).status_code for _ in range(100)]
    assert 20 < statuses.count(500) < 80


@pytest.mark.parametrize(
    "rule",
    [
        {"kind": "unheard"},
        {"call": "order"},
        {"kind": "hang", "typo": 1},
        {"kind": "hang", "call": "unheard"},
        {"kind": "hang", "times": -1},
    ],
)
def test_rule_unusable_is_refused(faulty_sandbox: Sandbox, rule: dict[str, Any]) -> None:
    assert (
        requests.post(f"{faulty_sandbox.url}/sandbox/faults", json=rule, timeout=60).status_code
        == 422
    )


def test_books_name_the_fault_of_an_order(faulty_sandbox: Sandbox) -> None:
    fault(faulty_sandbox, "hang", seconds=0)
    with contextlib.suppress(requests.ConnectionError):
        place(faulty_sandbox)
    told = orders(faulty_sandbox)[0]
    assert (told["fault"], told["answered"], told["client_order_id"]) == (
        "hang",
        "200 hang",
        "intent-1",
    )


def test_every_kind_of_fault_has_a_test_here() -> None:
    here = Path(__file__).parent.glob("test_sandbox_faults_*.py")
    source = "".join(file.read_text(encoding="utf-8") for file in here)
    for kind in FaultKind:
        assert f'"{kind.value}"' in source, kind
    assert all(Rule(kind=kind) for kind in FaultKind)
    assert {manner.value for manner in Manner} - {"plain"} <= {kind.value for kind in FaultKind}
