"""The processes of the service itself: listing, control plane, supervisor; killed or stopped."""

from __future__ import annotations

import signal
import time

import pytest
import requests
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import Exchange
from support.verdicts import (
    CONTROL_PLANE,
    LISTING,
    all_hold,
    assert_over,
    listed_again,
    pids,
    rows,
    titled,
)


def answers(daemon: Daemon) -> bool:
    """``/health`` is ok."""
    try:
        return daemon.health()[0] == 200 and daemon.health()[1]["status"] == "ok"
    except requests.RequestException:
        return False


def is_down(daemon: Daemon) -> bool:
    """The control plane says that the supervisor does not answer."""
    code, document = daemon.health()
    return (code, document["status"]) == (503, "down")


@pytest.mark.says("child_restarted")
def test_a_killed_listing_child_comes_back(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(*rows(2))
    daemon.start()
    before = all_hold(daemon, 2)
    for _ in range(3):
        (child,) = titled(daemon, LISTING)
        child.kill()
        eventually(
            lambda child=child: [c for c in titled(daemon, LISTING) if c.pid != child.pid],
            "another one lists",
        )
        listed_again(exchange)
    assert pids(daemon) == before
    exchange.list_bots(*rows(3))
    daemon.until_holding("b2")
    assert daemon.stop() == 0
    assert_over(daemon, exchange, crumbs=3)


@pytest.mark.says("child_hung", "settings_warning")
def test_a_hung_listing_child_is_replaced(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(*rows(2))
    daemon.start(EXECSVC_HANG_TIMEOUT="10")
    before = all_hold(daemon, 2)
    (child,) = titled(daemon, LISTING)
    child.suspend()
    eventually(lambda: daemon.health()[1]["status"] == "degraded", "the list is old")
    eventually(lambda: not child.lives, "it is killed")
    eventually(lambda: answers(daemon), "another one lists")
    assert pids(daemon) == before
    assert daemon.stop() == 0
    assert_over(daemon, exchange, crumbs=2)


@pytest.mark.timeout(300)
def test_a_control_plane_that_stands_still_is_replaced(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(*rows(1))
    daemon.start(EXECSVC_HANG_TIMEOUT="4")
    before = all_hold(daemon, 1)
    master, worker = titled(daemon, CONTROL_PLANE)
    for process in (master, worker):
        process.suspend()
    eventually(lambda: not master.lives and not worker.lives, "both are killed", 120)
    eventually(lambda: answers(daemon), "another one answers", 60)
    assert "the control plane process hangs and is replaced" in daemon.log
    assert pids(daemon) == before
    assert daemon.stop() == 0
    assert_over(daemon, exchange)


def test_a_killed_control_plane_comes_back(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(*rows(2))
    daemon.start()
    before, port = all_hold(daemon, 2), daemon.port
    for _ in range(2):
        master, worker = titled(daemon, CONTROL_PLANE)
        master.kill()
        eventually(lambda worker=worker: not worker.lives, "its worker goes as well")
        eventually(lambda: answers(daemon), "another one answers")
    master, worker = titled(daemon, CONTROL_PLANE)
    worker.kill()
    eventually(lambda: answers(daemon), "another worker answers")
    assert titled(daemon, CONTROL_PLANE)[0] == master
    assert daemon.port == port
    assert pids(daemon) == before
    assert daemon.stop() == 0
    assert_over(daemon, exchange, crumbs=2)


def test_a_supervisor_that_stood_still_kills_nobody(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(*rows(3))
    daemon.start(EXECSVC_HANG_TIMEOUT="10")
    before = all_hold(daemon, 3)
    ticks = daemon.bot("b0")["ticks"]
    (child,) = titled(daemon, LISTING)
    daemon.signal(signal.SIGSTOP)
    stopped_at = time.monotonic()
    eventually(lambda: is_down(daemon), "it is seen to be down")
    eventually(lambda: time.monotonic() > stopped_at + 21, "more than twice HANG_TIMEOUT passed")
    assert is_down(daemon)
    daemon.signal(signal.SIGCONT)
    eventually(lambda: answers(daemon), "it answers again")
    eventually(lambda: daemon.bot("b0")["ticks"] > ticks, "reports come in")
    listed_again(exchange)
    assert pids(daemon) == before
    assert titled(daemon, LISTING) == [child]
    assert "no heartbeat" not in daemon.log
    assert "stood still" in daemon.log
    assert daemon.stop() == 0
    assert_over(daemon, exchange, crumbs=3)


def test_a_supervisor_stopped_over_a_death_and_a_term_does_both(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.list_bots(*rows(2))
    daemon.start()
    runner = all_hold(daemon, 2)["b0"]
    process = next(p for p in daemon.family() if p.pid == runner)
    daemon.signal(signal.SIGSTOP)
    process.kill()
    daemon.signal(signal.SIGTERM)
    daemon.signal(signal.SIGCONT)
    assert daemon.wait() == 0
    assert len(exchange.executed(side="sell")) == 2
    assert_over(daemon, exchange, crumbs=2)
