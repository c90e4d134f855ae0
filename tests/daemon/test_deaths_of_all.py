"""The supervisor is killed, or everything is; then the service starts again."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest
from support import processes
from support.bot_process import bot_row
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import Exchange
from support.verdicts import all_hold, assert_flat, assert_over, listed_again, pids, rows

AFTER: dict[str, list[Any]] = {
    "listed": [bot_row()],
    "changed": [bot_row(params={"hold_duration": 7200})],
    "gone": [],
    "other key": [bot_row(key="k2")],
    "paper": [bot_row(mode="PAPER")],
}


@pytest.mark.parametrize("after", AFTER)
def test_everything_dies_at_once_and_nothing_is_lost(
    daemon: Daemon, exchange: Exchange, after: str
) -> None:
    exchange.fund("k2")
    exchange.list_bots(bot_row())
    daemon.start()
    held = daemon.until_holding()["position"]
    daemon.kill_everything()
    assert len(exchange.orders()) == 1, "nobody lived to sell"
    exchange.list_bots(*AFTER[after])
    daemon.start()
    if after in ("listed", "changed"):
        assert daemon.until_holding()["position"] == held
        assert len(exchange.orders()) == 1
    elif after == "gone":
        daemon.until("STOPPED")
        assert_flat(exchange)
    else:
        eventually(lambda: exchange.executed(side="sell"), "it is closed where it was opened")
        daemon.until_holding()
        assert_flat(exchange)
    assert daemon.stop() == 0
    assert_over(daemon, exchange)
    assert_flat(exchange, "k2")


def test_everything_dies_while_orders_are_under_way(daemon: Daemon, exchange: Exchange) -> None:
    exchange.fault("slow", call="order", seconds=1.0, execute=True, times=None)
    exchange.list_bots(*rows(3))
    daemon.start()
    eventually(exchange.executed, "an order is executed, and not answered yet")
    daemon.kill_everything()
    exchange.heal()
    daemon.start()
    all_hold(daemon, 3)
    assert len(exchange.executed(side="buy")) == 3
    assert daemon.stop() == 0
    assert len(exchange.executed(side="sell")) == 3
    assert_over(daemon, exchange, crumbs=3)


def test_a_killed_supervisor_and_a_prompt_successor_run_each_bot_once(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.list_bots(*rows(3))
    daemon.start()
    before = all_hold(daemon, 3)
    daemon.signal(signal.SIGKILL)
    daemon.wait()
    daemon.start()
    after = all_hold(daemon, 3)
    assert not set(before.values()) & set(after.values())
    # Their ledgers are free before they are gone: the last words come after the last record.
    gone = [pid for pid in before.values() if pid]
    eventually(lambda: not any(map(processes.is_alive, gone)), "the first runners are gone")
    listed_again(exchange)
    assert pids(daemon) == after
    assert daemon.stop() == 0
    assert_over(daemon, exchange, crumbs=3)


def test_orphans_hold_when_the_service_is_set_to_hold(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(*rows(2))
    daemon.start(EXECSVC_ON_SHUTDOWN="hold")
    all_hold(daemon, 2)
    daemon.signal(signal.SIGKILL)
    daemon.wait()
    eventually(lambda: not daemon.family(), "every process ends by itself")
    assert exchange.executed(side="sell") == []
    daemon.start()
    all_hold(daemon, 2)
    assert len(exchange.executed()) == 2
    assert daemon.stop() == 0
    assert_over(daemon, exchange, crumbs=2)


@pytest.mark.says("orphan_killed")
def test_a_hung_orphan_is_waited_for_and_then_killed(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(bot_row())
    daemon.start()
    orphan = daemon.until_holding()
    os.kill(orphan["pid"], signal.SIGSTOP)
    daemon.signal(signal.SIGKILL)
    daemon.wait()
    daemon.start(EXECSVC_STOP_TIMEOUT="6")
    waiting = daemon.until("BOOTING")
    said = f"waiting for pid {orphan['pid']}"
    eventually(lambda: daemon.bot()["last_error"] == said, "it says for whom it waits")
    assert processes.is_alive(orphan["pid"])
    bot = daemon.until_holding()
    assert bot["pid"] == waiting["pid"]
    assert bot["position"] == orphan["position"]
    assert bot["last_error"] is None
    assert not processes.is_alive(orphan["pid"])
    assert len(exchange.orders()) == 1
    assert daemon.stop() == 0
    assert_over(daemon, exchange)


def test_what_a_hung_orphan_holds_is_sold_once_it_is_killed(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.list_bots(bot_row())
    daemon.start()
    orphan = daemon.until_holding()
    os.kill(orphan["pid"], signal.SIGSTOP)
    daemon.signal(signal.SIGKILL)
    daemon.wait()
    exchange.list_bots()
    daemon.start(EXECSVC_STOP_TIMEOUT="6")
    waiting = daemon.until("LIQUIDATING")
    daemon.until("STOPPED")
    assert not processes.is_alive(orphan["pid"])
    assert f"killing process {waiting['pid']}" not in daemon.log, "its own time had not begun"
    assert daemon.stop() == 0
    assert_over(daemon, exchange)
