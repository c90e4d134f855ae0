"""The end of the service: what it exits with, what it names, what it leaves behind."""

from __future__ import annotations

import os
import signal
import time

import pytest
import requests
from support.bot_process import bot_row
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import Exchange
from support.verdicts import all_hold, assert_over, rows


def left(daemon: Daemon) -> list[str]:
    """The lines that name what is left open."""
    return [line for line in daemon.log.splitlines() if "position left open" in line]


@pytest.mark.parametrize("listed", [True, False], ids=["listed", "gone"])
def test_what_cannot_be_sold_is_named_and_taken_up_at_the_next_start(
    daemon: Daemon, exchange: Exchange, listed: bool
) -> None:
    exchange.list_bots(bot_row())
    daemon.start(EXECSVC_SHUTDOWN_TIMEOUT="4")
    held = daemon.until_holding()["position"]
    exchange.fault("status", call="order", status=503, times=None)
    exchange.fault("status", call="balance", status=503, times=None)
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 75
    (line,) = left(daemon)
    for word in ("CRITICAL", "b1", "BTC/USDT", held["tracked"]):
        assert word in line
    assert not daemon.family()
    exchange.heal()
    if not listed:
        exchange.list_bots()
    daemon.start()
    if listed:
        assert daemon.until_holding()["position"]["tracked"] == held["tracked"]
        assert exchange.executed(side="sell") == []
    else:
        daemon.until("STOPPED")
        assert len(exchange.executed(side="sell")) == 1
    assert daemon.stop() == 0
    assert_over(daemon, exchange)


def test_a_second_term_shortens_the_stop(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(bot_row())
    daemon.start(EXECSVC_SHUTDOWN_TIMEOUT="900", EXECSVC_STOP_TIMEOUT="800")
    daemon.until_holding()
    exchange.fault("refuse", call="order", times=None)
    daemon.signal(signal.SIGTERM)
    began = time.monotonic()
    daemon.signal(signal.SIGTERM)  # too early to count
    eventually(lambda: time.monotonic() > began + 2.5, "two seconds pass")
    assert daemon.process.poll() is None
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 75
    assert len(left(daemon)) == 1
    assert "again" in daemon.log
    eventually(lambda: not daemon.family(), "no process of it lives")
    exchange.heal()
    exchange.list_bots()
    daemon.start()
    daemon.until("STOPPED")
    assert daemon.stop() == 0
    assert_over(daemon, exchange)


def test_an_early_second_signal_changes_nothing(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(*rows(2))
    daemon.start()
    all_hold(daemon, 2)
    for _ in range(5):
        daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0
    assert len(exchange.executed(side="sell")) == 2
    assert_over(daemon, exchange, crumbs=2)


def test_usr2_after_term_does_not_leave_a_position(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(bot_row())
    daemon.start()
    runner = daemon.until_holding()["pid"]
    os.kill(runner, signal.SIGSTOP)  # nothing is sold before both signals have come
    daemon.signal(signal.SIGTERM)
    eventually(lambda: daemon.health()[1]["status"] == "stopping", "it stops")
    daemon.signal(signal.SIGUSR2)
    os.kill(runner, signal.SIGCONT)
    assert daemon.wait() == 0
    assert_over(daemon, exchange)


def test_int_is_a_graceful_stop(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(bot_row())
    daemon.start()
    daemon.until_holding()
    daemon.signal(signal.SIGINT)
    assert daemon.wait() == 0
    assert_over(daemon, exchange)


def test_a_stop_while_bots_boot_leaves_nothing(daemon: Daemon, exchange: Exchange) -> None:
    exchange.fund(usdt="100000")
    exchange.list_bots(*rows(25))
    daemon.start()
    eventually(lambda: exchange.requests_of("ticker"), "the first of them has begun")
    assert daemon.stop(90) == 0
    assert_over(daemon, exchange, crumbs=25)


def test_the_control_plane_answers_to_the_end(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(bot_row())
    daemon.start()
    daemon.until_holding()
    port = daemon.port
    exchange.fault("slow", call="balance", seconds=1.5, times=3)
    daemon.signal(signal.SIGTERM)
    seen: list[tuple[int, str]] = []
    session = requests.Session()
    session.trust_env = False
    while daemon.process.poll() is None:
        try:
            health = session.get(f"http://127.0.0.1:{port}/health", timeout=60)
            status = session.get(f"http://127.0.0.1:{port}/status", timeout=60)
        except requests.ConnectionError:
            break  # it is over
        seen.append((health.status_code, health.json()["status"]))
        assert status.status_code in (200, 503)
    assert daemon.wait() == 0
    assert (503, "stopping") in seen
    assert {answer for answer in seen if answer != (200, "ok")} <= {
        (503, "stopping"),
        (503, "down"),
    }
    assert_over(daemon, exchange)


def test_the_state_directory_is_private(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(bot_row())
    daemon.start()
    daemon.until_holding()
    modes = [p.stat().st_mode & 0o777 for p in (daemon.state_dir, daemon.folder / "run")]
    assert modes == [0o700, 0o700]
    assert (daemon.folder / "run" / "control.sock").stat().st_mode & 0o777 == 0o600
    assert daemon.stop() == 0
    assert_over(daemon, exchange)


def test_usr1_writes_the_whole_status(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(*rows(2))
    daemon.start()
    all_hold(daemon, 2)
    before = len(daemon.log)
    daemon.signal(signal.SIGUSR1)

    def said() -> bool:
        lines = daemon.log[before:].splitlines()
        return all(any(f"bot_id {bot}" in line for line in lines) for bot in ("b0", "b1"))

    eventually(said, "a line a bot")
    assert daemon.stop() == 0
