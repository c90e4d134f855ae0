"""Actions of BotService's own front end on many bots, judged by BotService's tables."""

from __future__ import annotations

import signal
import time
from typing import Any

import pytest
from support.bot_process import bot_row
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import Exchange
from support.front_end import FrontEnd
from support.tables import all_reported, executed_orders, judge, sides
from support.verdicts import assert_over

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

KEYS = [f"k{number}" for number in range(1, 6)]
PATIENT = {
    "EXECSVC_POLL_INTERVAL": "1",
    "EXECSVC_ORDER_TIMEOUT": "10",
    "EXECSVC_REQUEST_TIMEOUT": "5",
    "EXECSVC_STOP_TIMEOUT": "90",
    "EXECSVC_SHUTDOWN_TIMEOUT": "120",
}
"""An order must not be late only because so many bots share two cores."""


@pytest.fixture
def front_end(daemon: Daemon, exchange: Exchange) -> FrontEnd:
    """The front end of a service that takes its users' word and our reports, with our defaults."""
    for key in KEYS:
        exchange.fund(key, usdt="1000000")
    return FrontEnd(exchange.url)


def list_stopped(
    exchange: Exchange, count: int, interval: float = 1, mode: str = "LIVE", **params: Any
) -> list[str]:
    """So many bots on five accounts, none of them started; their ids."""
    whole = {"allocation_ratio": "0.001", **params}
    rows = [
        bot_row(f"b{n}", key=KEYS[n % len(KEYS)], interval=interval, mode=mode, params=whole)
        for n in range(count)
    ]
    exchange.list_bots(*({**row, "status": "STOPPED"} for row in rows))
    return [row["id"] for row in rows]


def hold(exchange: Exchange, count: int) -> None:
    """Wait until the exchange has executed so many buys more than sells."""

    def held() -> bool:
        sides = [order["side"] for order in executed_orders(exchange, KEYS)]
        return sides.count("buy") - sides.count("sell") == count

    eventually(held, f"{count} bots hold", 180)


def until_reported(daemon: Daemon, exchange: Exchange) -> None:
    """Wait for the reports: a stop waits at most a minute for them, which a busy machine exceeds."""
    eventually(lambda: all_reported(exchange, KEYS), "BotService has all executions", 180)
    eventually(lambda: daemon.status()["reports"]["pending"] == 0, "nothing waits", 180)


def end(daemon: Daemon, exchange: Exchange) -> None:
    """Stop the service, which leaves nothing."""
    assert daemon.stop(200) == 0
    for key in KEYS:
        assert_over(daemon, exchange, key, crumbs=100)


@pytest.mark.long
def test_150_bots_started_and_stopped_at_once_are_150_sessions(
    daemon: Daemon, exchange: Exchange, front_end: FrontEnd
) -> None:
    """BotService's connections do not suffice for so many at once, for them and for us."""
    bots = list_stopped(exchange, 150, interval=5)
    exchange.bot_service(connections=15, work=0.5)
    daemon.start(**PATIENT)
    front_end.start(bots)
    hold(exchange, 150)
    front_end.stop(bots)
    until_reported(daemon, exchange)
    judge(exchange, front_end, KEYS)
    assert sides(exchange) == [["BUY", "SELL"]] * 150
    end(daemon, exchange)


def test_two_starts_are_two_sessions_with_the_orders_of_each(
    daemon: Daemon, exchange: Exchange, front_end: FrontEnd
) -> None:
    bots = list_stopped(exchange, 30)
    daemon.start(**PATIENT)
    for _ in range(2):
        front_end.start(bots)
        hold(exchange, 30)
        front_end.stop(bots)
    until_reported(daemon, exchange)
    judge(exchange, front_end, KEYS)
    assert sides(exchange) == [["BUY", "SELL"]] * 60
    end(daemon, exchange)


@pytest.mark.long
@pytest.mark.parametrize(
    "fault",
    [{"kind": "reset"}, {"kind": "hang"}],
    ids=lambda fault: fault["kind"],
)
def test_an_outage_of_a_minute_in_the_middle_of_a_start_loses_no_session_and_no_execution(
    daemon: Daemon, exchange: Exchange, front_end: FrontEnd, fault: dict[str, Any]
) -> None:
    bots = list_stopped(exchange, 40, interval=5, hold_duration=10, loop_count=2)
    daemon.start(**PATIENT)
    front_end.press_start(bots)
    eventually(lambda: front_end.moved(bots, "BOOTING"), "some are RUNNING")
    exchange.fault(call="bot_service", times=None, **fault)
    over = time.monotonic() + 60
    eventually(lambda: time.monotonic() > over, "a minute")
    exchange.heal()
    front_end.until(bots, "BOOTING")
    front_end.stop(bots)
    until_reported(daemon, exchange)
    judge(exchange, front_end, KEYS)
    end(daemon, exchange)


def test_killing_everything_in_the_middle_of_a_start_opens_no_second_session(
    daemon: Daemon, exchange: Exchange, front_end: FrontEnd
) -> None:
    bots = list_stopped(exchange, 40)
    daemon.start(**PATIENT)
    front_end.press_start(bots)
    eventually(lambda: len(front_end.moved(bots, "BOOTING")) > 5, "some are RUNNING")
    daemon.kill_everything()
    daemon.start(**PATIENT)
    front_end.until(bots, "BOOTING")
    hold(exchange, 40)
    front_end.stop(bots)
    until_reported(daemon, exchange)
    judge(exchange, front_end, KEYS, deaths=True)
    end(daemon, exchange)


def test_killing_everything_in_the_middle_of_a_stop_leaves_no_session_and_no_position(
    daemon: Daemon, exchange: Exchange, front_end: FrontEnd
) -> None:
    bots = list_stopped(exchange, 40)
    daemon.start(**PATIENT)
    front_end.start(bots)
    hold(exchange, 40)
    front_end.press_stop(bots)
    eventually(lambda: len(front_end.moved(bots, "STOPPING")) > 5, "some are STOPPED")
    daemon.kill_everything()
    daemon.start(**PATIENT)
    front_end.until(bots, "STOPPING")
    until_reported(daemon, exchange)
    judge(exchange, front_end, KEYS, deaths=True)
    end(daemon, exchange)


def test_orders_that_wait_at_the_stop_are_reported_before_it(
    daemon: Daemon, exchange: Exchange, front_end: FrontEnd
) -> None:
    bots = list_stopped(exchange, 10)
    daemon.start(**PATIENT)
    exchange.fault("status", call="report_order", times=None)
    front_end.start(bots)
    hold(exchange, 10)
    pressed = time.monotonic()
    front_end.press_stop(bots)
    hold(exchange, 0)
    statuses = {front_end.status(bot_id) for bot_id in bots}
    if time.monotonic() < pressed + 55:  # after a minute it need not wait any more
        assert statuses == {"STOPPING"}
    exchange.heal()
    front_end.until(bots, "STOPPING")
    until_reported(daemon, exchange)
    judge(exchange, front_end, KEYS)
    assert sides(exchange) == [["BUY", "SELL"]] * 10
    end(daemon, exchange)


@pytest.mark.long
def test_orders_that_are_not_taken_for_a_minute_hold_no_stop_up_and_find_their_session(
    daemon: Daemon, exchange: Exchange, front_end: FrontEnd
) -> None:
    bots = list_stopped(exchange, 10)
    daemon.start(**PATIENT)
    exchange.fault("status", call="report_order", times=None)
    front_end.start(bots)
    hold(exchange, 10)
    front_end.stop(bots)
    assert exchange.tables()["executions"] == []
    exchange.heal()
    until_reported(daemon, exchange)
    judge(exchange, front_end, KEYS)
    assert sides(exchange) == [["BUY", "SELL"]] * 10
    end(daemon, exchange)


@pytest.mark.parametrize("call", ["start_bot", "stop_bot"])
def test_start_or_stop_whose_answer_is_lost_is_done_once(
    daemon: Daemon, exchange: Exchange, front_end: FrontEnd, call: str
) -> None:
    bots = list_stopped(exchange, 10)
    daemon.start(**PATIENT)
    exchange.fault("close", call=call, execute=True, times=5)
    front_end.start(bots)
    hold(exchange, 10)
    front_end.stop(bots)
    until_reported(daemon, exchange)
    judge(exchange, front_end, KEYS)
    assert sides(exchange) == [["BUY", "SELL"]] * 10
    end(daemon, exchange)


def test_bots_that_hold_when_the_service_is_started_anew_go_on_with_their_session(
    daemon: Daemon, exchange: Exchange, front_end: FrontEnd
) -> None:
    bots = list_stopped(exchange, 10)
    daemon.start(**PATIENT)
    front_end.start(bots)
    hold(exchange, 10)
    daemon.signal(signal.SIGUSR2)
    assert daemon.wait() == 0
    daemon.start(**PATIENT)
    for bot_id in bots:
        daemon.until_holding(bot_id)
    front_end.stop(bots)
    until_reported(daemon, exchange)
    judge(exchange, front_end, KEYS)
    assert sides(exchange) == [["BUY", "SELL"]] * 10
    end(daemon, exchange)


def test_bots_on_paper_have_sessions_without_orders(
    daemon: Daemon, exchange: Exchange, front_end: FrontEnd
) -> None:
    bots = list_stopped(exchange, 5, mode="PAPER")
    daemon.start(**PATIENT)
    front_end.start(bots)
    for bot_id in bots:
        daemon.until_holding(bot_id)
    front_end.stop(bots)
    until_reported(daemon, exchange)
    judge(exchange, front_end, KEYS)
    assert sides(exchange) == [[]] * 5
    end(daemon, exchange)
