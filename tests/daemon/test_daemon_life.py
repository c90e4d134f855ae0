"""The main road: bots are listed, run, traded, changed and stopped flat."""

from __future__ import annotations

import os
import signal
from decimal import Decimal

import pytest
from support.bot_process import bot_row
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import OWN_BTC, Exchange

DUST = Decimal("0.00001")


def assert_clean(daemon: Daemon, exchange: Exchange, key: str = "k1") -> None:
    """Nothing of the bots is left in the account, and no process lives."""
    assert 0 <= exchange.bots_base(key) < DUST
    assert exchange.lowest(key) >= OWN_BTC
    eventually(lambda: not daemon.family(), "no process of it lives")


def test_a_bot_buys_and_the_service_stops_flat(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(bot_row())
    daemon.start()
    bot = daemon.until_holding()
    assert bot["state"] == "RUNNING"
    assert bot["strategy"] == "test_trading_v1"
    assert Decimal(bot["position"]["tracked"]) == exchange.bots_base() > 0
    assert daemon.health() == (
        200,
        {"status": "ok", "service": "execution-service", "reasons": []},
    )
    assert daemon.stop() == 0
    assert_clean(daemon, exchange)
    assert len(exchange.orders()) == 2


def test_a_bot_that_is_stopped_ends_flat(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(bot_row("b1"), bot_row("b2"))
    daemon.start()
    daemon.until_holding("b1")
    daemon.until_holding("b2")
    exchange.stop_bot("b1")
    stopped = daemon.until("STOPPED", "b1")
    assert stopped["position"]["side"] is None
    assert daemon.bot("b2")["state"] == "RUNNING"
    assert len(exchange.executed(side="sell")) == 1
    assert daemon.stop() == 0
    assert_clean(daemon, exchange)


def test_an_error_of_bot_service_stops_nobody(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(*[bot_row(f"b{n}") for n in range(3)])
    daemon.start()
    for n in range(3):
        daemon.until_holding(f"b{n}")
    exchange.fault("status", call="bots", status=500, times=None)
    before = daemon.status()["poll"]["consecutive_failures"]
    eventually(
        lambda: daemon.status()["poll"]["consecutive_failures"] >= before + 5, "failed listings"
    )
    code, health = daemon.health()
    assert (code, health["status"]) == (200, "degraded")
    assert daemon.status()["running_bots"] == 3
    assert exchange.executed(side="sell") == []
    exchange.heal()
    eventually(lambda: daemon.health()[1]["status"] == "ok", "healthy again")
    assert daemon.stop() == 0
    assert_clean(daemon, exchange)


def test_kill_of_a_runner_resumes_its_position(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(bot_row())
    daemon.start()
    before = daemon.until_holding()
    daemon_pid = before["pid"]
    os.kill(daemon_pid, signal.SIGKILL)
    eventually(
        lambda: (
            daemon.bot().get("pid") not in (None, daemon_pid)
            and daemon.bot()["state"] == "RUNNING"
            and daemon.bot()["ticks"] > 1
        ),
        "a successor ticks",
    )
    after = daemon.bot()
    assert after["position"] == before["position"]
    assert after["restarts"] == 1
    assert len(exchange.orders()) == 1
    assert daemon.stop() == 0
    assert_clean(daemon, exchange)


def test_kill_of_the_supervisor_ends_every_process_flat(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(bot_row("b1"), bot_row("b2"))
    daemon.start()
    daemon.until_holding("b1")
    daemon.until_holding("b2")
    assert len(daemon.family()) >= 5
    daemon.signal(signal.SIGKILL)
    daemon.wait()
    eventually(lambda: not daemon.family(), "every process ends by itself")
    assert_clean(daemon, exchange)


@pytest.mark.parametrize("how", ["USR2", "setting"])
def test_hold_keeps_the_position_for_the_next_start(
    daemon: Daemon, exchange: Exchange, how: str
) -> None:
    exchange.list_bots(bot_row())
    daemon.start(EXECSVC_ON_SHUTDOWN="hold" if how == "setting" else "liquidate")
    held = daemon.until_holding()["position"]
    daemon.signal(signal.SIGTERM if how == "setting" else signal.SIGUSR2)
    assert daemon.wait() == 0
    assert exchange.executed(side="sell") == []
    assert "b1" in daemon.log and "held" in daemon.log
    daemon.start()
    assert daemon.until_holding()["position"] == held
    assert daemon.stop() == 0
    assert len(exchange.orders()) == 2
    assert_clean(daemon, exchange)


@pytest.mark.says("position_kept", "bot_changed")
def test_changed_parameters_replace_the_runner_and_keep_its_position(
    daemon: Daemon, exchange: Exchange
) -> None:
    row = bot_row()
    exchange.list_bots(row)
    daemon.start()
    before = daemon.until_holding()
    pipeline = bot_row(params={"hold_duration": 7200})["pipeline"]
    exchange.change_bot("b1", pipeline=pipeline)
    eventually(
        lambda: (
            daemon.bot()["pid"] not in (None, before["pid"]) and daemon.bot()["state"] == "RUNNING"
        ),
        "another process runs it",
    )
    assert daemon.until_holding()["position"] == before["position"]
    assert len(exchange.orders()) == 1
    exchange.change_bot("b1", name="another name")
    eventually(lambda: daemon.bot()["name"] == "another name", "the name is shown")
    assert daemon.stop() == 0
    assert_clean(daemon, exchange)


def test_another_key_closes_the_position_where_it_was_opened(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.fund("k2")
    exchange.list_bots(bot_row())
    daemon.start()
    daemon.until_holding()
    exchange.change_bot("b1", global_settings=bot_row(key="k2")["global_settings"])
    eventually(lambda: exchange.executed("k2", side="buy"), "it buys on the other account")
    assert len(exchange.executed("k1", side="sell")) == 1
    assert_clean_account(exchange, "k1")
    assert daemon.stop() == 0
    assert_clean(daemon, exchange, "k2")


def assert_clean_account(exchange: Exchange, key: str) -> None:
    """Nothing of the bots is left in the account."""
    assert 0 <= exchange.bots_base(key) < DUST


@pytest.mark.usefixtures("listing_only")
def test_an_operators_term_to_a_runner_holds_the_bot_off(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.list_bots(*[bot_row(f"b{n}") for n in range(1, 4)])
    daemon.start()
    bot = daemon.until_holding("b1")
    daemon.until_holding("b2")
    daemon.until_holding("b3")
    os.kill(bot["pid"], signal.SIGTERM)
    daemon.until("HELD", "b1")
    assert len(exchange.executed(side="sell")) == 1
    assert daemon.bot("b2")["state"] == "RUNNING"
    assert daemon.stop() == 0
    daemon.start()
    daemon.until("HELD", "b1")
    daemon.until_holding("b2")
    exchange.stop_bot("b1")
    eventually(lambda: daemon.bot("b1").get("state") != "HELD", "it left the listing")
    exchange.call("POST", "/bots/b1/start")
    daemon.until_holding("b1")
    assert daemon.stop() == 0
    assert_clean(daemon, exchange)
