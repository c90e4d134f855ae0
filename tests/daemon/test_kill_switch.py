"""``execsvc halt``, ``resume`` and ``stop`` of the real program, judged by the exchange's books."""

from __future__ import annotations

import json
import signal
import subprocess

import pytest
from support.bot_process import bot_row
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import Exchange
from support.verdicts import all_hold, assert_flat, assert_over, listed_again, rows, states


def two_accounts(exchange: Exchange) -> None:
    """Four bots that buy, two on each account."""
    exchange.fund("k2")
    made = rows(4)
    for row in made[2:]:
        row["global_settings"]["exchange"] = "k2"
    exchange.list_bots(*made)


def succeeded(done: subprocess.CompletedProcess[str]) -> str:
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def test_halt_closes_everything_and_resume_lets_it_run(daemon: Daemon, exchange: Exchange) -> None:
    two_accounts(exchange)
    daemon.start()
    all_hold(daemon, 4)
    said = succeeded(daemon.command("halt", "--reason", "the exchange lies"))
    assert said.splitlines()[1] == "every bot has ended flat"
    for key in ("k1", "k2"):
        assert_flat(exchange, key, crumbs=2)
        assert len(exchange.executed(key, "sell")) == 2
    assert set(states(daemon).values()) == {"STOPPED"}
    assert daemon.status()["halted"]["reason"] == "the exchange lies"
    assert daemon.health()[1]["reasons"] == ["trading is halted: the exchange lies"]
    assert "trading is halted: the exchange lies" in succeeded(daemon.command("status"))
    for path in ("/halt", "/resume", "/stop"):
        assert daemon.post(path).status_code == 404
    listed_again(exchange)
    assert len(exchange.executed(side="buy")) == 2, "nobody buys while halted"
    succeeded(daemon.command("resume"))
    all_hold(daemon, 4)
    assert daemon.health()[1]["status"] == "ok"
    assert daemon.stop() == 0
    assert_over(daemon, exchange, crumbs=2)
    assert_flat(exchange, "k2", crumbs=2)


def test_the_daemon_is_killed_right_after_the_answer(daemon: Daemon, exchange: Exchange) -> None:
    two_accounts(exchange)
    daemon.start()
    all_hold(daemon, 4)
    said = json.loads(succeeded(daemon.command("halt", "--no-wait", "--json")))
    assert said["flat"] is None
    daemon.signal(signal.SIGKILL)
    daemon.wait()
    daemon.start()
    assert daemon.status()["halted"] == said["halted"]
    again = json.loads(succeeded(daemon.command("halt", "--json")))
    assert again == {"halted": said["halted"], "not_written": None, "flat": True, "left": []}
    for key in ("k1", "k2"):
        assert_flat(exchange, key, crumbs=2)
    listed_again(exchange)
    assert set(states(daemon).values()) == {"STOPPED"}
    assert len(exchange.executed("k1", "buy")) + len(exchange.executed("k2", "buy")) == 4
    assert daemon.stop() == 0
    assert_over(daemon, exchange, crumbs=2)


def test_everything_is_killed_while_it_halts_and_holds(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(*rows(3))
    daemon.start(EXECSVC_ON_SHUTDOWN="hold")
    all_hold(daemon, 3)
    exchange.fault("slow", call="order", seconds=3.0, execute=True, times=None)
    succeeded(daemon.command("halt", "--no-wait"))
    daemon.kill_everything()
    exchange.heal()
    daemon.start(EXECSVC_ON_SHUTDOWN="hold")
    assert succeeded(daemon.command("halt")).splitlines()[1] == "every bot has ended flat"
    assert_flat(exchange, crumbs=3)
    assert len(exchange.executed(side="buy")) == 3
    assert daemon.stop() == 0
    assert_over(daemon, exchange, crumbs=3)


def test_a_position_that_cannot_be_sold_is_said_and_tried_again(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.list_bots(bot_row())
    daemon.start()
    held = daemon.until_holding()["position"]["tracked"]
    exchange.fault("refuse", call="order", detail="Market is closed", times=None)
    done = daemon.command("halt", "--timeout", "3")
    assert (done.returncode, done.stderr) == (75, "")
    assert f"NOT FLAT: bot b1 (bot b1), BTC/USDT, tracked {held}" in done.stdout
    exchange.heal()
    assert succeeded(daemon.command("halt")).splitlines()[1] == "every bot has ended flat"
    assert_flat(exchange)
    assert daemon.stop() == 0


@pytest.mark.usefixtures("listing_only")
def test_a_stopped_bot_stays_held_through_restart_halt_and_resume(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.list_bots(*rows(3))
    daemon.start()
    all_hold(daemon, 3)
    assert succeeded(daemon.command("stop", "bot b0")) == "bot b0 is HELD and flat\n"
    assert len(exchange.executed(side="sell")) == 1
    assert states(daemon) == {"b0": "HELD", "b1": "RUNNING", "b2": "RUNNING"}
    daemon.signal(signal.SIGKILL)
    daemon.wait()
    daemon.start()
    all_hold(daemon, 2)
    succeeded(daemon.command("halt"))
    assert_flat(exchange, crumbs=3)
    assert "bot b0 stays HELD" in succeeded(daemon.command("resume"))
    all_hold(daemon, 2)
    assert daemon.bot("b0")["state"] == "HELD"
    succeeded(daemon.command("release", "b0"))
    all_hold(daemon, 3)
    assert daemon.stop() == 0
    assert_over(daemon, exchange, crumbs=3)


def test_a_halt_without_a_daemon_is_what_the_next_start_finds(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.list_bots(bot_row())
    daemon.start(EXECSVC_ON_SHUTDOWN="hold")
    daemon.until_holding()
    assert daemon.stop() == 0
    assert daemon.command("halt").returncode == 69
    assert daemon.command("resume").returncode == 69
    daemon.start()
    assert succeeded(daemon.command("halt")).splitlines()[1] == "every bot has ended flat"
    assert_flat(exchange)
    assert daemon.bot()["state"] == "STOPPED"
    assert daemon.stop() == 0


def test_a_halt_before_the_first_start_is_in_force_at_that_start(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.list_bots(bot_row())
    assert not daemon.state_dir.exists()
    done = daemon.command("halt", "--reason", "not yet")
    assert done.returncode == 69, done.stderr
    assert "the halt holds from the next start on" in done.stderr
    daemon.start()
    assert daemon.health()[1]["reasons"] == ["trading is halted: not yet"]
    eventually(lambda: daemon.status()["bots"], "the bot is listed")
    assert daemon.bot()["pid"] is None
    succeeded(daemon.command("resume"))
    daemon.until_holding()
    assert daemon.stop() == 0
    assert_over(daemon, exchange)
