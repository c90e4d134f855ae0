"""The front end's BOOTING and STOPPING, answered by the whole program; judged by BotService's rows."""

from __future__ import annotations

import signal
import time
from typing import Any

import pytest
from support.bot_process import bot_row
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import Exchange
from support.verdicts import all_hold, assert_over, listed_again, pids, rows, titled

ON = {"EXECSVC_BOT_LIFECYCLE": "true"}
LIFECYCLE = {"start_bot", "stop_bot"}


def booting(count: int = 1) -> list[dict[str, Any]]:
    """So many bots whose start BotService waits for."""
    return [{**row, "status": "BOOTING"} for row in rows(count)]


def until_status(exchange: Exchange, status: str, bot_id: str = "b0") -> None:
    eventually(lambda: exchange.bot_status(bot_id) == status, f"{bot_id} is {status}", 60)


def calls(exchange: Exchange) -> set[str]:
    counts: dict[str, int] = exchange.call("GET", "/sandbox/requests")["counts"]
    return LIFECYCLE & set(counts)


@pytest.mark.says("bot_start_told", "bot_stop_told")
def test_the_life_of_a_bot_as_the_front_end_asks_for_it(daemon: Daemon, exchange: Exchange) -> None:
    bot_id = "a/b ü"
    exchange.list_bots({**bot_row(bot_id), "status": "BOOTING"})
    daemon.start(**ON, EXECSVC_REPORT_LEDGER="false")
    until_status(exchange, "RUNNING", bot_id)
    assert daemon.until_holding(bot_id)["ticks"] > 0
    before = daemon.bot(bot_id)["pid"]
    exchange.change_bot(bot_id, status="STOPPING")
    until_status(exchange, "STOPPED", bot_id)
    assert len(exchange.executed(side="sell")) == 1
    assert daemon.bot(bot_id)["state"] == "STOPPED"
    exchange.change_bot(bot_id, status="BOOTING")
    until_status(exchange, "RUNNING", bot_id)
    assert daemon.bot(bot_id)["pid"] not in (None, before)
    assert daemon.status()["reports"] is None
    assert daemon.stop() == 0
    assert exchange.bot_status(bot_id) == "RUNNING"
    assert_over(daemon, exchange, crumbs=2)


@pytest.mark.usefixtures("listing_only")
def test_it_is_off_where_it_is_switched_off(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(*booting(), {**bot_row("b1"), "status": "STOPPING"}, bot_row("b2"))
    daemon.start()
    daemon.until_holding("b2")
    listed_again(exchange)
    assert list(pids(daemon)) == ["b2"]
    assert daemon.stop() == 0
    assert calls(exchange) == set()


def test_it_is_not_said_before_the_position_is_sold(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(*booting())
    daemon.start(**ON)
    all_hold(daemon, 1)
    until_status(exchange, "RUNNING")  # or the word on its start would undo what follows
    exchange.fault("refuse", call="order", times=None)
    exchange.change_bot("b0", status="STOPPING")
    eventually(lambda: daemon.bot("b0")["state"] == "LIQUIDATING", "it cannot be sold")
    listed_again(exchange)
    assert exchange.bot_status("b0") == "STOPPING"
    exchange.heal()
    until_status(exchange, "STOPPED")
    assert daemon.stop() == 0
    assert_over(daemon, exchange)


def test_a_bot_that_is_to_stop_and_never_ran_has_stopped(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.list_bots({**bot_row("b0"), "status": "STOPPING", "pipeline": None})
    daemon.start(**ON)
    until_status(exchange, "STOPPED")
    assert daemon.status()["bots"] == []
    assert daemon.stop() == 0


def test_what_an_earlier_run_left_is_sold_before_it_is_said(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.list_bots(*booting())
    daemon.start(**ON)
    all_hold(daemon, 1)
    daemon.signal(signal.SIGUSR2)
    assert daemon.wait() == 0
    exchange.change_bot("b0", status="STOPPING")
    daemon.start(**ON)
    until_status(exchange, "STOPPED")
    assert len(exchange.executed(side="sell")) == 1
    assert daemon.stop() == 0
    assert_over(daemon, exchange)


def test_a_bot_that_cannot_start_is_never_said_to_have_started(
    daemon: Daemon, exchange: Exchange
) -> None:
    unknown, broken, sound = booting(3)
    unknown["pipeline"]["strategy"]["id"] = "unheard_of"
    broken["pipeline"] = None
    exchange.list_bots(unknown, broken, sound)
    daemon.start(**ON)
    until_status(exchange, "RUNNING", "b2")
    until_status(exchange, "STOPPED", "b0")
    until_status(exchange, "STOPPED", "b1")
    assert exchange.requests_of("start_bot") == 1
    assert daemon.stop() == 0


def test_many_may_be_told_to_stop_at_once(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(*booting(6))
    daemon.start(**ON, EXECSVC_MASS_STOP_CONFIRMATIONS="1000")
    for number in range(6):
        until_status(exchange, "RUNNING", f"b{number}")
    for number in range(6):
        exchange.change_bot(f"b{number}", status="STOPPING")
    for number in range(6):
        until_status(exchange, "STOPPED", f"b{number}")
    assert daemon.stop() == 0


def test_a_front_end_that_thinks_better_of_it(daemon: Daemon, exchange: Exchange) -> None:
    exchange.fault("status", call="stop_bot", status=500, times=None)
    exchange.list_bots(*booting())
    daemon.start(**ON)
    until_status(exchange, "RUNNING")
    exchange.change_bot("b0", status="STOPPING")
    daemon.until("STOPPED", "b0")
    exchange.change_bot("b0", status="BOOTING")
    until_status(exchange, "RUNNING")
    exchange.heal()
    until = time.monotonic() + 3
    eventually(lambda: time.monotonic() > until, "time for a late word")
    assert exchange.bot_status("b0") == "RUNNING"
    assert daemon.stop() == 0


@pytest.mark.parametrize(
    ("first", "call", "then"), [("BOOTING", "start", "STOPPING"), ("STOPPING", "stop", "RUNNING")]
)
def test_a_word_that_comes_too_late_is_not_said(
    daemon: Daemon, exchange: Exchange, first: str, call: str, then: str
) -> None:
    away = {"status": 503, "headers": {"Retry-After": "3"}}
    exchange.fault("status", call=f"{call}_bot", times=1, **away)
    exchange.list_bots({**bot_row("b0"), "status": first})
    daemon.start(**ON)
    eventually(lambda: exchange.requests_of(f"{call}_bot"), "it is to say it later")
    if then == "STOPPING":
        daemon.until_holding("b0")
        exchange.fault("refuse", call="order", times=None)
    exchange.change_bot("b0", status=then)
    until = time.monotonic() + 4
    eventually(lambda: time.monotonic() > until, "time for a late word")
    assert exchange.bot_status("b0") == then
    assert exchange.requests_of(f"{call}_bot") == 1
    exchange.heal()
    assert daemon.stop() == 0


@pytest.mark.says("bot_word_failed")
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "hang"},
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 404},
        {"kind": "garbage"},
        {"kind": "redirect", "detail": "/bots"},
        {"kind": "close"},
    ],
    ids=lambda fault: f"{fault['kind']} {fault.get('status', '')}",
)
def test_a_service_that_fails_is_in_nobodys_way(
    daemon: Daemon, exchange: Exchange, fault: dict[str, Any]
) -> None:
    for call in ("start_bot", "stop_bot"):
        execute = fault["kind"] == "garbage"
        exchange.fault(call=call, times=None, **fault, **({"execute": False} if execute else {}))
    exchange.list_bots(*booting(2))
    daemon.start(**ON)
    all_hold(daemon, 2)
    exchange.change_bot("b0", status="STOPPING")
    daemon.until("STOPPED", "b0")
    listed_again(exchange)
    assert (exchange.bot_status("b0"), exchange.bot_status("b1")) == ("STOPPING", "BOOTING")
    assert daemon.health()[1]["status"] == "ok"
    exchange.heal()
    until_status(exchange, "STOPPED", "b0")
    until_status(exchange, "RUNNING", "b1")
    assert daemon.stop() == 0


def test_a_bot_without_a_session_is_left_in_peace(daemon: Daemon, exchange: Exchange) -> None:
    exchange.fault("status", call="stop_bot", status=400, times=None)
    exchange.list_bots({**bot_row("b0"), "status": "STOPPING"})
    daemon.start(**ON)
    eventually(lambda: "stop_bot" in calls(exchange), "it is said")
    listed_again(exchange, 5)
    assert exchange.requests_of("stop_bot") <= 2
    assert "BotService was not told" not in daemon.log
    assert daemon.stop() == 0


def test_a_killed_reporting_process_says_it_all_the_same(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.fault("hang", call="start_bot", times=None)
    exchange.list_bots(*booting(3))
    daemon.start(**ON, EXECSVC_REPORT_LEDGER="true")
    all_hold(daemon, 3)
    for process in titled(daemon, "execsvc: reports"):
        process.kill()
    exchange.heal()
    for number in range(3):
        until_status(exchange, "RUNNING", f"b{number}")
    assert daemon.stop() == 0
    assert_over(daemon, exchange, crumbs=3)
