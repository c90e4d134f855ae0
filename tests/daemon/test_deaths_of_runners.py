"""Runners that are killed, hang, crash again and again, or are told to end by another process."""

from __future__ import annotations

import os
import signal

import pytest
from support.bot_process import bot_row
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import Exchange
from support.verdicts import (
    all_hold,
    assert_flat,
    assert_over,
    listed_again,
    rows,
    states,
    succeeds,
)


def kill_again_and_again(daemon: Daemon, times: int) -> None:
    """Kill the bot's runner, and each of its successors once it runs."""
    pid = daemon.until("RUNNING")["pid"]
    for n in range(times):
        os.kill(pid, signal.SIGKILL)
        if n < times - 1:
            pid = succeeds(daemon, pid)["pid"]


@pytest.mark.usefixtures("listing_only")
def test_a_crash_loop_ends_as_failed_and_flat(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(bot_row("b1"), bot_row("b2"))
    daemon.start(EXECSVC_MAX_RESTARTS="2", EXECSVC_RESTART_WINDOW="300")
    daemon.until_holding("b1")
    other = daemon.until_holding("b2")["pid"]
    kill_again_and_again(daemon, 2)
    eventually(lambda: daemon.bot()["state"] == "BACKOFF", "the second restart waits")
    os.kill(succeeds(daemon, None)["pid"], signal.SIGKILL)
    failed = daemon.until("FAILED")
    assert failed["restarts"] == 2
    eventually(lambda: daemon.bot()["position"]["side"] is None, "its position is closed")
    assert len(exchange.executed(side="sell")) == 1
    assert "b1" in daemon.health()[1]["reasons"][0]
    assert daemon.bot("b2")["pid"] == other
    listed_again(exchange)
    assert daemon.bot()["state"] == "FAILED"
    exchange.list_bots(bot_row("b1", params={"hold_duration": 999}), bot_row("b2"))
    daemon.until_holding("b1")
    assert daemon.stop() == 0
    assert_over(daemon, exchange, crumbs=2)


@pytest.mark.usefixtures("listing_only")
def test_release_ends_failed(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(bot_row())
    daemon.start(EXECSVC_MAX_RESTARTS="0")
    daemon.until_holding()
    kill_again_and_again(daemon, 1)
    daemon.until("FAILED")
    done = daemon.command("release", "b1")
    assert done.returncode == 0, done.stderr
    daemon.until_holding()
    assert daemon.stop() == 0
    assert_over(daemon, exchange)


def test_a_hung_runner_is_replaced_and_its_position_kept(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.list_bots(bot_row("b1"), bot_row("b2"))
    daemon.start(EXECSVC_HANG_TIMEOUT="10")
    before = daemon.until_holding("b1")
    other = daemon.until_holding("b2")["pid"]
    os.kill(before["pid"], signal.SIGSTOP)
    after = succeeds(daemon, before["pid"])
    assert after["position"] == before["position"]
    assert "no heartbeat" in daemon.log
    assert daemon.bot("b2")["pid"] == other
    assert len(exchange.orders()) == 2
    assert daemon.stop() == 0
    assert_over(daemon, exchange, crumbs=2)


def test_a_runner_killed_while_it_stops_is_liquidated(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(bot_row())
    daemon.start()
    pid = daemon.until_holding()["pid"]
    exchange.fault("slow", call="balance", seconds=1.5, times=None)
    exchange.stop_bot()
    daemon.until("STOPPING")
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: daemon.bot()["state"] == "LIQUIDATING", "another process closes it")
    exchange.heal()
    bot = daemon.until("STOPPED")
    assert bot["position"]["side"] is None
    assert len(exchange.executed(side="sell")) == 1
    assert daemon.stop() == 0
    assert_over(daemon, exchange)


@pytest.mark.usefixtures("listing_only")
def test_a_liquidation_that_is_killed_is_taken_up_again(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(bot_row())
    daemon.start(EXECSVC_MAX_RESTARTS="0", EXECSVC_REQUEST_TIMEOUT="60")
    killed = [daemon.until_holding()["pid"]]
    exchange.fault("hang", call="balance", times=None)  # none of them ends by itself
    os.kill(killed[0], signal.SIGKILL)
    for left in (2, 1, 0):
        pid = eventually(lambda: _liquidator(daemon, killed), "a process closes it")
        if not left:
            exchange.heal()
        os.kill(pid, signal.SIGKILL)
        killed.append(pid)
    bot = daemon.until("FAILED")
    assert bot["position"]["side"] is None
    assert len(exchange.executed(side="sell")) == 1
    assert daemon.stop() == 0
    assert_over(daemon, exchange)


def _liquidator(daemon: Daemon, before: list[int]) -> int:
    """The process that liquidates, 0 while there is none but those of ``before``."""
    bot = daemon.bot()
    return 0 if bot["state"] != "LIQUIDATING" or bot["pid"] in before else bot["pid"] or 0


def test_a_runner_killed_with_an_order_under_way_doubles_nothing(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.fault("slow", call="order", seconds=1, execute=True)
    exchange.list_bots(bot_row())
    daemon.start()
    eventually(exchange.executed, "the order is executed")
    os.kill(daemon.bot()["pid"], signal.SIGKILL)
    daemon.until_holding()
    assert len(exchange.orders()) == 1
    assert daemon.stop() == 0
    assert len(exchange.orders()) == 2
    assert_over(daemon, exchange)


@pytest.mark.usefixtures("listing_only")
def test_term_to_all_runners_holds_nobody(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(*rows(4))
    daemon.start()
    before = all_hold(daemon, 4)
    for pid in before.values():
        assert pid is not None
        os.kill(pid, signal.SIGTERM)
    eventually(lambda: len(exchange.executed(side="sell")) == 4, "each of them stopped flat")
    eventually(lambda: len(exchange.executed(side="buy")) == 8, "each of them is restarted")
    assert "HELD" not in states(daemon).values()
    assert daemon.stop() == 0
    assert_over(daemon, exchange, crumbs=4)


@pytest.mark.parametrize("how", ["release", "release while down"])
@pytest.mark.usefixtures("listing_only")
def test_a_held_bot_is_released(daemon: Daemon, exchange: Exchange, how: str) -> None:
    exchange.list_bots(*rows(3))
    daemon.start()
    pid = all_hold(daemon, 3)["b1"]
    assert pid is not None
    os.kill(pid, signal.SIGINT)
    daemon.until("HELD", "b1")
    listed_again(exchange)
    assert daemon.bot("b1")["state"] == "HELD"
    if how == "release while down":
        assert daemon.stop() == 0
        assert daemon.command("release", "b1").returncode == 0
        daemon.start()
    else:
        assert daemon.command("release", "b1").returncode == 0
    daemon.until_holding("b1")
    assert daemon.stop() == 0
    assert_over(daemon, exchange, crumbs=3)


@pytest.mark.usefixtures("listing_only")
def test_usr2_to_a_runner_holds_it_with_its_position(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(*rows(3))
    daemon.start()
    pid = all_hold(daemon, 3)["b1"]
    assert pid is not None
    os.kill(pid, signal.SIGUSR2)
    held = daemon.until("HELD", "b1")
    assert held["position"]["side"] == "BUY"
    assert daemon.stop() == 0, "it is held as asked"
    assert len(exchange.executed(side="sell")) == 2
    daemon.start()
    assert daemon.until("HELD", "b1")["position"] == held["position"]
    all_rows = rows(3)
    exchange.list_bots(all_rows[0], all_rows[2])
    daemon.until("STOPPED", "b1")
    assert len(exchange.executed(side="sell")) == 3
    assert daemon.stop() == 0
    assert_over(daemon, exchange, crumbs=3)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGUSR1])
def test_a_runner_ignores_other_signals(
    daemon: Daemon, exchange: Exchange, number: signal.Signals
) -> None:
    exchange.list_bots(bot_row())
    daemon.start()
    bot = daemon.until_holding()
    os.kill(bot["pid"], number)
    eventually(lambda: daemon.bot()["ticks"] > bot["ticks"] + 5, "it ticks on")
    assert daemon.bot()["pid"] == bot["pid"]
    assert daemon.stop() == 0
    assert_flat(exchange)
