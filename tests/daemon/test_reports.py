"""Reports to BotService, with the whole program, judged by what BotService was told."""

from __future__ import annotations

import signal
import time
from collections import Counter
from decimal import Decimal
from typing import Any

import psutil
import pytest
from support.bot_process import bot_row
from support.bot_service_wire import FILLED, order_of
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import Exchange
from support.verdicts import all_hold, assert_over, listed_again, pids, rows, titled

ON = {"EXECSVC_REPORT_LEDGER": "true"}
REPORTS = "execsvc: reports"


def whats(exchange: Exchange, bot_id: str = "b1") -> tuple[str, ...]:
    """The reports on a bot's orders to BotService, without those that were made twice."""
    told = order_of(exchange.told()).get(bot_id, [])
    return tuple(entry.split()[1] for entry in dict.fromkeys(told))


def until_told(exchange: Exchange, *expected: str, bot_id: str = "b1") -> None:
    eventually(lambda: whats(exchange, bot_id) == expected, f"{expected} was told", 60)


def reports(daemon: Daemon) -> dict[str, Any]:
    found: dict[str, Any] = daemon.status()["reports"]
    return found


def judge(exchange: Exchange, bots: int, orders: int = 2) -> None:
    """By the exchange's books: what BotService was told is what happened, in order."""
    told = exchange.told()
    keys = {e["id"]: e["key"].removesuffix("-order") for e in told if e["what"] == "ORDER"}
    executions = {keys[e["id"]]: e["body"] for e in told if e["what"] == "EXECUTION"}
    executed = {order["client_order_id"]: order for order in exchange.executed()}
    assert executions.keys() == executed.keys()
    for order_id, order in executed.items():
        body = executions[order_id]
        assert body["side"] == order["side"].upper()
        assert Decimal(body["quantity"]) == Decimal(order["filled"])
        assert body["exchange_order_id"] == order["order_id"]
    assert len(order_of(told)) == bots
    for bot_id in order_of(told):
        assert whats(exchange, bot_id) == FILLED * orders


def test_a_position_from_its_entry_to_its_liquidation(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(bot_row())
    daemon.start(**ON)
    daemon.until_holding()
    until_told(exchange, *FILLED)
    order, sent, execution, filled = exchange.told()
    (bought,) = exchange.executed()
    assert order["body"]["side"] == "BUY"
    assert Decimal(order["body"]["quantity"]) == Decimal(bought["amount"])
    assert order["key"] == f"{bought['client_order_id']}-order"
    assert execution["key"] == f"{bought['client_order_id']}-execution"
    assert Decimal(execution["body"]["price"]) * Decimal(execution["body"]["quantity"]) == Decimal(
        execution["body"]["quote_qty"]
    )
    assert (execution["body"]["fee_asset"], sent["id"], filled["id"]) == (
        "BTC",
        order["id"],
        order["id"],
    )
    eventually(lambda: reports(daemon)["last_delivered_at"], "it says so")
    eventually(lambda: reports(daemon)["pending"] == 0, "nothing is left to be reported")
    exchange.stop_bot()
    daemon.until("STOPPED")
    until_told(exchange, *FILLED * 2)
    assert exchange.told()[4]["body"]["reason"] == "liquidation"
    judge(exchange, 1)
    assert daemon.stop() == 0
    assert len(exchange.told()) == 8
    assert_over(daemon, exchange)


@pytest.mark.usefixtures("listing_only")
def test_it_is_off_where_it_is_switched_off(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(bot_row())
    daemon.start()
    daemon.until_holding()
    assert titled(daemon, REPORTS) == []
    assert daemon.status()["reports"] is None
    assert daemon.stop() == 0
    calls: Counter[str] = exchange.call("GET", "/sandbox/requests")["counts"]
    assert not {"report_order", "start_bot", "stop_bot", "unknown"} & set(calls)


def test_paper_is_not_reported_and_a_refusal_is(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(bot_row("paper", mode="PAPER"), bot_row("live"))
    exchange.fault("refuse", call="order", times=1)
    daemon.start(**ON)
    daemon.until_holding("paper")
    daemon.until_holding("live")
    until_told(exchange, "ORDER", "SENT", "FAILED", *FILLED, bot_id="live")
    assert {entry["bot_id"] for entry in exchange.told()} == {"live"}
    assert daemon.stop() == 0


@pytest.mark.says("report_recovered")
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "hang"},
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 422},
        {"kind": "status", "status": 503, "headers": {"Retry-After": "1"}},
        {"kind": "garbage"},
        {"kind": "redirect", "detail": "/orders"},
        {"kind": "close", "execute": True},
        {"kind": "drip", "seconds": 1},
        {"kind": "endless_head"},
    ],
    ids=lambda fault: f"{fault['kind']} {fault.get('status', '')}",
)
def test_a_service_that_fails_is_in_nobodys_way(
    daemon: Daemon, exchange: Exchange, fault: dict[str, Any]
) -> None:
    calls = ("report_order", "report_status", "report_execution")
    for call in calls:
        exchange.fault(call=call, times=None, **fault)
    exchange.list_bots(*rows(3))
    daemon.start(**ON)
    before = all_hold(daemon, 3)
    eventually(lambda: reports(daemon)["consecutive_failures"] > 0, "a report failed")
    assert reports(daemon)["last_error"]
    assert daemon.health()[1]["status"] == "ok"
    listed_again(exchange)
    exchange.stop_bot("b0")
    daemon.until("STOPPED", "b0")
    assert pids(daemon)["b1"] == before["b1"]
    exchange.heal()
    for bot_id, orders in (("b0", 2), ("b1", 1), ("b2", 1)):
        until_told(exchange, *FILLED * orders, bot_id=bot_id)
    eventually(lambda: reports(daemon)["last_error"] is None, "all is well")
    assert daemon.log.count("report_failed") == 0 or daemon.log.count("a report to") < 20
    assert daemon.stop() == 0
    assert_over(daemon, exchange, crumbs=3)
    judge(exchange, 3)


def test_one_bot_that_is_never_taken_blocks_no_other(daemon: Daemon, exchange: Exchange) -> None:
    exchange.fault("status", call="report_order", times=None, status=400, match={"bot_id": "b0"})
    exchange.list_bots(*rows(3))
    daemon.start(**ON)
    all_hold(daemon, 3)
    for bot_id in ("b1", "b2"):
        until_told(exchange, *FILLED, bot_id=bot_id)
    assert whats(exchange, "b0") == ()
    eventually(lambda: reports(daemon)["pending"] == 4, "those of b0 wait")
    exchange.heal()
    until_told(exchange, *FILLED, bot_id="b0")
    assert daemon.stop() == 0
    judge(exchange, 3)


def test_a_reporting_process_that_is_killed_again_and_again(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.list_bots(*rows(4, params={"hold_duration": 1, "loop_count": 3}))
    daemon.start(**ON)
    until = time.monotonic() + 8
    while time.monotonic() < until:
        for process in titled(daemon, REPORTS):
            process.kill()
        listed_again(exchange, 1)
    assert all(bot["restarts"] == 0 for bot in daemon.status()["bots"])
    eventually(lambda: len(exchange.executed()) == 24, "all have traded", 60)
    for number in range(4):
        until_told(exchange, *FILLED * 6, bot_id=f"b{number}")
    assert daemon.stop() == 0
    judge(exchange, 4, orders=6)


def test_a_reporting_process_that_hangs_is_replaced(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(bot_row())
    daemon.start(**ON, EXECSVC_HANG_TIMEOUT="10")
    (process,) = eventually(lambda: titled(daemon, REPORTS), "it is there")
    process.suspend()
    before = daemon.until_holding()["pid"]
    eventually(lambda: not process.lives, "it is killed")
    until_told(exchange, *FILLED)
    assert daemon.bot()["pid"] == before
    assert daemon.stop() == 0


def test_what_is_left_is_delivered_at_the_next_start_also_of_bots_that_are_gone(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.fault("hang", call="report_order", times=None)
    exchange.list_bots(*rows(2))
    daemon.start(**ON)
    all_hold(daemon, 2)
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0
    assert exchange.told() == []
    assert not daemon.family()
    exchange.heal()
    exchange.list_bots()
    daemon.start(**ON)
    for number in range(2):
        until_told(exchange, *FILLED * 2, bot_id=f"b{number}")
    assert daemon.stop() == 0
    judge(exchange, 2)


def test_a_supervisor_that_is_killed_loses_no_report(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(*rows(3))
    daemon.start(**ON)
    all_hold(daemon, 3)
    daemon.signal(signal.SIGKILL)
    daemon.wait()
    eventually(lambda: not daemon.family(), "all of them end")
    daemon.start(**ON)
    all_hold(daemon, 3)
    assert daemon.stop() == 0
    for number in range(3):
        assert whats(exchange, f"b{number}") == FILLED * 4
    judge(exchange, 3, orders=4)


@pytest.mark.says("report_failed")
def test_a_damaged_file_of_its_own_harms_no_trade(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(bot_row())
    daemon.state_dir.mkdir(mode=0o700)
    (daemon.state_dir / "reports.db").write_bytes(b"no database" * 1000)
    daemon.start(**ON)
    daemon.until_holding()
    eventually(lambda: "reports.db" in str(reports(daemon)["last_error"]), "it is told")
    assert exchange.told() == []
    process = psutil.Process(titled(daemon, REPORTS)[0].pid)
    before = sum(process.cpu_times()[:2])
    until = time.monotonic() + 3
    eventually(lambda: time.monotonic() > until, "time in which it has nothing to do")
    assert sum(process.cpu_times()[:2]) - before < 0.5
    (daemon.state_dir / "reports.db").unlink()
    until_told(exchange, *FILLED)
    assert daemon.stop() == 0
    judge(exchange, 1)
