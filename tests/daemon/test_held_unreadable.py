"""The file that names the held bots is damaged: every bot that is known is held, and nothing is sold."""

from __future__ import annotations

import json
import signal

import pytest
from support.bot_process import bot_row
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import Exchange
from support.verdicts import assert_over, listed_again, states


@pytest.mark.timeout(300)
@pytest.mark.says("held_unreadable")
@pytest.mark.usefixtures("listing_only")
def test_a_damaged_list_of_held_bots_holds_every_known_bot_and_refuses_no_start(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.fund("k2")
    exchange.fund("k3")
    exchange.list_bots(bot_row(), bot_row("b2", key="k2"))
    daemon.start()
    daemon.until_holding("b1")
    daemon.until_holding("b2")
    daemon.command("stop", "b2")
    daemon.until("HELD", "b2")
    daemon.signal(signal.SIGUSR2)
    assert daemon.wait() == 0
    held = daemon.state_dir / "held.json"
    assert json.loads(held.read_text()) == {"b2": False}
    held.write_text("{")
    exchange.list_bots(bot_row(), bot_row("b2", key="k2"), bot_row("b3", key="k3"))
    daemon.start()
    daemon.until_holding("b3")  # it never ran, so no operator can have ended it
    listed_again(exchange)
    assert states(daemon) == {"b1": "HELD", "b2": "HELD", "b3": "RUNNING"}
    assert not exchange.orders("k1", "sell")
    assert daemon.bot("b1")["position"]["side"] == "BUY"
    status, health = daemon.health()
    assert (status, health["status"]) == (200, "degraded")
    told = " ".join(health["reasons"])
    assert all(f"execsvc release {bot_id}" in told for bot_id in ("b1", "b2")), told
    assert held.read_text() == "{"
    assert daemon.command("release", "b1").returncode == 0
    daemon.until("RUNNING", "b1")
    assert daemon.bot("b1")["position"]["side"] == "BUY", "it goes on with what it held"
    assert json.loads(held.read_text()) == {"b2": True}
    assert (daemon.state_dir / "held.json.damaged").read_text() == "{"
    daemon.command("release", "b2")
    daemon.until_holding("b2")
    eventually(lambda: daemon.health()[1]["status"] == "ok", "all is decided")
    assert daemon.stop() == 0
    assert_over(daemon, exchange)
