"""Signals to a bot's process: an operator's word on one bot, or noise to a whole group."""

from __future__ import annotations

import json
import os
import signal

import pytest
from support.bot_process import bot_row
from support.deadline import eventually
from support.exchange import Exchange
from support.scripted_service import Scripted


def listed(service: Scripted, bots: Exchange, count: int) -> list[int]:
    """Start with so many bots, all of them with a position; their pids."""
    names = [f"b{n}" for n in range(1, count + 1)]
    for name in names:
        service.direct(name, opens=True)
    bots.list_bots(*[bot_row(name) for name in names])
    service.start()
    return [service.until("RUNNING", name)["pid"] for name in names]


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_one_bot_ended_by_hand_is_held_flat(
    service: Scripted, bots: Exchange, signum: signal.Signals
) -> None:
    pids = listed(service, bots, 3)
    os.kill(pids[0], signum)
    held = service.until("HELD")
    assert held["position"]["side"] is None
    assert signum.name[3:] in held["last_error"]
    assert service.bot("b2")["restarts"] == 0
    assert json.loads((service.state_dir / "held.json").read_text()) == {"b1": False}


@pytest.mark.says("bot_held")
def test_the_only_bot_ended_by_hand_is_held(service: Scripted, bots: Exchange) -> None:
    os.kill(listed(service, bots, 1)[0], signal.SIGTERM)
    service.until("HELD")
    assert service.stop() == 0


@pytest.mark.says("position_held")
def test_usr2_holds_the_position(service: Scripted, bots: Exchange) -> None:
    os.kill(listed(service, bots, 2)[0], signal.SIGUSR2)
    held = service.until("HELD")
    assert held["position"]["side"] == "BUY"
    assert service.stop() == 0
    assert "position held as asked: bot b1, BTC/USDT, tracked 0.5" in service.log
    assert service.history("b1") == ["TRADE", "TRADE HELD"]
    assert service.history("b2") == ["TRADE", "TRADE STOPPED"]


def test_a_bot_held_by_usr2_is_liquidated_when_it_leaves(service: Scripted, bots: Exchange) -> None:
    os.kill(listed(service, bots, 2)[0], signal.SIGUSR2)
    service.until("HELD")
    bots.stop_bot("b1")
    service.until("STOPPED")
    service.happened("TRADE", "TRADE HELD", "LIQUIDATE", "LIQUIDATE STOPPED")


def test_held_survives_a_restart_of_the_service(service: Scripted, bots: Exchange) -> None:
    os.kill(listed(service, bots, 2)[0], signal.SIGTERM)
    service.until("HELD")
    assert service.stop() == 0
    service.start()
    service.until("RUNNING", "b2")
    assert service.bot()["state"] == "HELD"
    assert service.history() == ["TRADE", "TRADE STOPPED"]


def test_held_ends_when_it_leaves_and_comes_back(service: Scripted, bots: Exchange) -> None:
    os.kill(listed(service, bots, 2)[0], signal.SIGTERM)
    service.until("HELD")
    bots.stop_bot("b1")
    service.until("STOPPED")
    assert json.loads((service.state_dir / "held.json").read_text()) == {}
    bots.list_bots(bot_row("b1"), bot_row("b2"))
    service.until("RUNNING")


def test_held_ends_on_release(service: Scripted, bots: Exchange) -> None:
    os.kill(listed(service, bots, 2)[0], signal.SIGTERM)
    service.until("HELD")
    service.ask("release")
    assert service.until("RUNNING")["last_error"] is None


def test_a_changed_row_does_not_end_held(service: Scripted, bots: Exchange) -> None:
    os.kill(listed(service, bots, 2)[0], signal.SIGTERM)
    service.until("HELD")
    bots.list_bots(bot_row("b1", params={"hold_duration": 61}) | {"name": "new"}, bot_row("b2"))
    eventually(lambda: service.bot()["name"] == "new")
    assert service.bot()["state"] == "HELD"


@pytest.mark.parametrize("count", [2, 5])
def test_many_signalled_together_are_restarted(
    service: Scripted, bots: Exchange, count: int
) -> None:
    for pid in listed(service, bots, count):
        os.kill(pid, signal.SIGTERM)
    for n in range(1, count + 1):
        eventually(lambda n=n: service.bot(f"b{n}")["restarts"] == 1)  # type: ignore[misc]
        service.until("RUNNING", f"b{n}")
    assert service.status()["counts"] == {"RUNNING": count}


def test_many_count_by_when_they_were_signalled_not_by_when_they_ended(
    service: Scripted, bots: Exchange
) -> None:
    service.direct("b1", opens=True, stop_beats=60)
    bots.list_bots(bot_row("b1"), bot_row("b2"))
    service.start()
    pids = [service.until("RUNNING", name)["pid"] for name in ("b1", "b2")]
    for pid in pids:
        os.kill(pid, signal.SIGTERM)
    service.until("STOPPING", "b1")
    eventually(lambda: service.bot("b2")["restarts"] == 1)
    service.direct("b1")
    eventually(lambda: service.bot("b1")["restarts"] == 1)


def test_held_with_a_residue_is_liquidated_until_flat(service: Scripted, bots: Exchange) -> None:
    service.direct("b1", opens=True, residue=True, liquidation="fails")
    bots.list_bots(bot_row("b1"), bot_row("b2"))
    service.start()
    pid = service.until("RUNNING")["pid"]
    os.kill(pid, signal.SIGTERM)
    service.until("LIQUIDATING")
    eventually(lambda: len(service.history()) >= 6, "it is tried again")
    code, health = service.health()
    assert (code, health["status"]) == (200, "degraded")
    assert "liquidation failed" in health["reasons"][0]
    service.direct("b1")
    service.until("HELD")
    assert service.health()[1]["status"] == "ok"


def test_a_signal_while_it_stops_by_our_word_is_not_an_operators(
    service: Scripted, bots: Exchange
) -> None:
    service.direct("b1", stop_beats=20)
    bots.list_bots(bot_row("b1"), bot_row("b2"))
    service.start()
    pid = service.until("RUNNING")["pid"]
    bots.stop_bot("b1")
    service.until("STOPPING")
    os.kill(pid, signal.SIGTERM)
    service.until("STOPPED")


def test_the_supervisor_ending_as_well_makes_it_no_operators_word(
    service: Scripted, bots: Exchange
) -> None:
    pids = listed(service, bots, 1)
    os.kill(pids[0], signal.SIGTERM)
    service.signal(signal.SIGTERM)
    assert service.wait() == 0
    assert not (service.state_dir / "held.json").exists()
    service.start()
    service.until("RUNNING")
