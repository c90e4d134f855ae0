"""``execsvc status``: the table of bots."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.command import Execsvc

from execsvc.cli import status as command
from execsvc.errors import Unavailable

BOT: dict[str, Any] = {
    "bot_id": "b1",
    "name": "My BTC bot",
    "strategy": "test_trading_v1",
    "symbol": "BTC/USDT",
    "key_id": "k1",
    "mode": "LIVE",
    "state": "RUNNING",
    "pid": 4250,
    "started_at": "2026-01-01T00:00:00.000Z",
    "restarts": 0,
    "ticks": 31,
    "last_tick_at": None,
    "consecutive_errors": 0,
    "last_error": None,
    "position": {"side": "BUY", "tracked": "0.01998", "sold_short": "0"},
    "result": {"currency": "USDT", "realised": "-12.345", "today": "0"},
    "guards": [],
}
STATUS: dict[str, Any] = {
    "state": "RUNNING",
    "pid": 4242,
    "uptime_sec": 12.3,
    "poll": {"consecutive_failures": 0, "last_error": None, "pending_mass_stop": None},
    "counts": {"RUNNING": 1},
    "bots": [BOT],
}


@pytest.fixture
def document(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The daemon's answer; a test may change it."""
    answer: dict[str, Any] = json.loads(json.dumps(STATUS))

    def ask(_: Path, request: dict[str, Any], __: float) -> dict[str, Any]:
        assert request.pop("call") == "status"
        assert request in ({}, {"diagnostics": True})
        return answer

    monkeypatch.setattr(command.control_socket, "ask", ask)
    return answer


def test_status_prints_a_line_for_each_bot(execsvc: Execsvc, document: dict[str, Any]) -> None:
    document["bots"].append(BOT | {"bot_id": "b2", "pid": None, "symbol": None})
    done = execsvc("status")
    assert done.code == 0
    headline, header, first, second = done.out.splitlines()
    assert headline == "RUNNING, pid 4242, up 12 s: 1 RUNNING"
    assert header.split() == ["BOT", "NAME", "STATE", "SYMBOL", "MODE", "TRACKED", "TICKS", "PID"]
    assert first.split() == [
        *("b1", "My", "BTC", "bot", "RUNNING", "BTC/USDT", "LIVE", "0.01998", "31", "4250"),
    ]
    assert second.split()[-1] == "-"
    assert max(len(line) for line in done.out.splitlines()) <= 80


def test_status_wide_terminal_shows_the_realised_result(
    execsvc: Execsvc, document: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    unknown = {"currency": None, "realised": None, "today": None}
    document["bots"].append(BOT | {"bot_id": "b2", "result": unknown})
    _, header, first, second = execsvc("status").out.splitlines()
    assert header.split()[-1] == "RESULT"
    assert first.endswith("-12.34 USDT")
    assert second.endswith(" -")


def test_status_faults_are_printed_below_the_table(
    execsvc: Execsvc, document: dict[str, Any]
) -> None:
    document["poll"] = {
        "consecutive_failures": 3,
        "last_error": "HTTP 500",
        "pending_mass_stop": {"bots": 6, "of": 8, "polls": 1, "needed": 3},
    }
    document["bots"][0]["last_error"] = "bad\x1b[31m news\n"
    lines = execsvc("status").out.splitlines()
    assert lines[-3:] == [
        "listing failed 3 times: HTTP 500",
        "6 of 8 bots are missing from the listing; no bot is stopped yet, poll 1 of 3",
        "b1: bad [31m news ",
    ]


def test_status_halt_is_printed_once(execsvc: Execsvc, document: dict[str, Any]) -> None:
    document["halted"] = {"since": "2026-01-02T03:04:05.000Z", "reason": "the exchange lies"}
    text = "trading is halted: the exchange lies"
    document["bots"] = [BOT | {"last_error": text}, BOT | {"last_error": f"{text}; no bid"}]
    assert execsvc("status").out.splitlines()[-2:] == [
        f"{text} (since 2026-01-02T03:04:05.000Z)",
        f"b1: {text}; no bid",
    ]


def test_status_no_bots_prints_the_headline_alone(
    execsvc: Execsvc, document: dict[str, Any]
) -> None:
    document.update(bots=[], counts={})
    assert execsvc("status").out == "RUNNING, pid 4242, up 12 s: no bots\n"


def test_status_diagnostics_prints_a_line_for_each_report(
    execsvc: Execsvc, document: dict[str, Any]
) -> None:
    document["bots"] = [
        BOT | {"diagnostics": {"judged": True, "missing": "spread", "bought": "12.5"}},
        BOT | {"bot_id": "b2", "diagnostics": {}},
    ]
    assert execsvc("status", "--diagnostics").out.splitlines()[4:] == [
        "b1: judged, missing spread, bought 12.5"
    ]


def test_status_json_is_the_answer_of_the_daemon(
    execsvc: Execsvc, document: dict[str, Any]
) -> None:
    done = execsvc("status", "--json")
    assert (done.code, json.loads(done.out)) == (0, document)


def test_status_without_a_daemon_exits_69(
    execsvc: Execsvc, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(*_: object) -> dict[str, Any]:
        raise Unavailable("the supervisor does not answer")

    monkeypatch.setattr(command.control_socket, "ask", ask)
    done = execsvc("status")
    assert (done.code, done.out) == (69, "")
    assert done.err == "execsvc: the supervisor does not answer\n"
