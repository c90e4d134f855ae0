"""Two things that go wrong together."""

from __future__ import annotations

import os
import signal

from support.bot_process import bot_row
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import Exchange
from support.verdicts import (
    CONTROL_PLANE,
    LISTING,
    all_hold,
    assert_over,
    listed_again,
    rows,
    titled,
)


def test_a_hung_runner_does_not_keep_the_service_from_stopping(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.list_bots(*rows(3))
    daemon.start(EXECSVC_STOP_TIMEOUT="10")
    pid = all_hold(daemon, 3)["b1"]
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    assert daemon.stop() == 0
    assert len(exchange.executed(side="sell")) == 3
    assert_over(daemon, exchange, crumbs=3)


def test_a_hung_runner_is_liquidated_when_its_bot_is_stopped(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.list_bots(*rows(2))
    daemon.start(EXECSVC_STOP_TIMEOUT="10")
    pid = all_hold(daemon, 2)["b1"]
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    exchange.list_bots(*rows(1))
    daemon.until("STOPPED", "b1")
    assert "did not stop within" in daemon.log
    assert len(exchange.executed(side="sell")) == 1
    assert daemon.stop() == 0
    assert_over(daemon, exchange, crumbs=2)


def test_children_of_the_service_that_hang_do_not_delay_its_end(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.list_bots(*rows(2))
    daemon.start()
    all_hold(daemon, 2)
    for process in [*titled(daemon, LISTING), *titled(daemon, CONTROL_PLANE)]:
        process.suspend()
    assert daemon.stop() == 0
    assert_over(daemon, exchange, crumbs=2)


def test_a_runner_that_dies_while_its_row_is_malformed_is_liquidated(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.list_bots(bot_row())
    daemon.start()
    pid = daemon.until_holding()["pid"]
    exchange.change_bot("b1", pipeline=None)
    eventually(lambda: daemon.bot()["last_error"], "the change is refused")
    os.kill(pid, signal.SIGKILL)
    bot = daemon.until("INVALID")
    eventually(lambda: daemon.bot()["position"]["side"] is None, "it is closed")
    assert "pipeline" in bot["last_error"]
    assert len(exchange.executed(side="sell")) == 1
    exchange.list_bots(bot_row())
    daemon.until_holding()
    assert daemon.stop() == 0
    assert_over(daemon, exchange)


def test_orphans_that_cannot_sell_leave_their_positions_to_the_next_start(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.list_bots(*rows(2))
    daemon.start()
    all_hold(daemon, 2)
    exchange.fault("refuse", call="order", times=None)
    daemon.signal(signal.SIGKILL)
    daemon.wait()
    eventually(lambda: not daemon.family(), "they give up", 60)
    exchange.heal()
    exchange.list_bots(*rows(1))
    daemon.start()
    daemon.until_holding("b0")
    daemon.until("STOPPED", "b1")
    assert len(exchange.executed(side="buy")) == 2
    assert daemon.stop() == 0
    assert_over(daemon, exchange, crumbs=2)


def test_bot_service_is_away_while_everything_else_goes_wrong(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.list_bots(*rows(3))
    daemon.start()
    before = all_hold(daemon, 3)
    exchange.fault("status", call="bots", status=500, times=None)
    for pid in before.values():
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
    (child,) = titled(daemon, LISTING)
    child.kill()
    after = eventually(
        lambda: _others(daemon, before), "they are restarted from the last good list"
    )
    assert len(exchange.executed()) == 3, "each resumed its position"
    exchange.heal()
    listed_again(exchange)
    assert all_hold(daemon, 3) == after
    assert daemon.stop() == 0
    assert_over(daemon, exchange, crumbs=3)


def _others(daemon: Daemon, before: dict[str, int | None]) -> dict[str, int | None]:
    now = all_hold(daemon, 3)
    return {} if set(now.values()) & set(before.values()) else now
