"""The end of the service."""

from __future__ import annotations

import os
import signal
import socket
import time

import pytest
import requests
from support import processes
from support.bot_process import bot_row
from support.deadline import eventually
from support.exchange import Exchange
from support.scripted_service import Scripted


def test_everybody_stops_at_once_and_http_answers_to_the_end(
    service: Scripted, bots: Exchange
) -> None:
    names = [f"b{n}" for n in range(8)]
    for name in names:
        service.direct(name, opens=True, stop_beats=40)
    bots.list_bots(*[bot_row(name) for name in names])
    service.start()
    eventually(lambda: service.status()["running_bots"] == 8)
    service.signal(signal.SIGTERM)
    eventually(lambda: service.status()["counts"] == {"STOPPING": 8})
    code, health = service.health()
    assert (code, health["status"]) == (503, "stopping")
    assert service.status()["state"] == "STOPPING"
    # All of them at once: one after the other they would need eight times as long.
    assert service.wait(within=2 + 8 * 2) == 0
    assert all(service.history(name) == ["TRADE", "TRADE STOPPED"] for name in names)
    assert "exit code 0" in service.log


@pytest.mark.parametrize("how", ["signal", "setting"])
def test_holding(service: Scripted, bots: Exchange, how: str) -> None:
    service.direct(opens=True)
    bots.list_bots(bot_row())
    service.start(EXECSVC_ON_SHUTDOWN="hold" if how == "setting" else "liquidate")
    service.until("RUNNING")
    service.signal(signal.SIGTERM if how == "setting" else signal.SIGUSR2)
    assert service.wait() == 0
    assert service.history() == ["TRADE", "TRADE HELD"]
    assert "position held as asked: bot b1, BTC/USDT, tracked 0.5" in service.log
    service.start()
    assert service.until("RUNNING")["position"]["side"] == "BUY"


def test_a_residue_is_tried_again_until_the_time_is_over(service: Scripted, bots: Exchange) -> None:
    service.direct(opens=True, residue=True, liquidation="fails")
    bots.list_bots(bot_row())
    service.start(EXECSVC_SHUTDOWN_TIMEOUT="3")
    service.until("RUNNING")
    assert service.stop() == 75
    assert "position left open: bot b1, BTC/USDT, tracked 0.5" in service.log
    assert service.history()[:4] == ["TRADE", "TRADE RESIDUE", "LIQUIDATE", "LIQUIDATE RESIDUE"]
    assert service.history().count("LIQUIDATE") >= 3


def test_a_residue_that_can_be_sold_at_last_ends_flat(service: Scripted, bots: Exchange) -> None:
    service.direct(opens=True, residue=True, liquidation="fails")
    bots.list_bots(bot_row())
    service.start()
    service.until("RUNNING")
    service.signal(signal.SIGTERM)
    service.until("LIQUIDATING")
    service.direct()
    assert service.wait() == 0


def test_positions_without_a_runner_are_closed_too(service: Scripted, bots: Exchange) -> None:
    service.direct("b1", act="open_then_crash")
    bots.list_bots(bot_row())
    service.start()
    eventually(lambda: service.bot().get("state") == "BACKOFF" and service.bot()["restarts"] >= 1)
    service.direct("b1")
    assert service.stop() == 0
    assert service.history()[-2:] == ["LIQUIDATE", "LIQUIDATE STOPPED"]


def test_a_runner_that_does_not_stop_is_killed_and_liquidated(
    service: Scripted, bots: Exchange
) -> None:
    service.direct(opens=True, stop_beats=10_000)
    bots.list_bots(bot_row())
    service.start(EXECSVC_STOP_TIMEOUT="1")
    service.until("RUNNING")
    assert service.stop() == 0
    assert "did not stop within 1 s" in service.log
    service.happened("TRADE", "LIQUIDATE", "LIQUIDATE STOPPED")


def test_on_stop_gets_a_quarter(service: Scripted, bots: Exchange) -> None:
    service.direct(opens=True, stop_beats=10_000, in_on_stop=True)
    bots.list_bots(bot_row())
    service.start(EXECSVC_STOP_TIMEOUT="4")
    service.until("RUNNING")
    bots.stop_bot("b1")
    service.until("STOPPED")
    assert "on_stop took longer than 1 s" in service.log
    service.happened("TRADE", "LIQUIDATE", "LIQUIDATE STOPPED")


def test_waiting_for_the_turn_does_not_count(service: Scripted, bots: Exchange) -> None:
    service.direct(opens=True, stop_beats=40, waits_turn=True)
    bots.list_bots(bot_row())
    service.start(EXECSVC_STOP_TIMEOUT="0.6")
    service.until("RUNNING")
    assert service.stop() == 0
    service.happened("TRADE", "TRADE STOPPED")


@pytest.mark.says("service_hurried", "service_out_of_time", "position_left")
def test_a_second_term_ends_it_within_seconds(service: Scripted, bots: Exchange) -> None:
    service.direct(opens=True, stop_beats=10_000)
    bots.list_bots(bot_row())
    service.start(EXECSVC_SHUTDOWN_TIMEOUT="600", EXECSVC_STOP_TIMEOUT="600")
    service.until("RUNNING")
    service.signal(signal.SIGTERM)
    service.signal(signal.SIGTERM)  # too early to mean anything
    service.until("STOPPING")
    began = time.monotonic()
    eventually(lambda: time.monotonic() - began > 2.1)
    assert "again" not in service.log
    service.signal(signal.SIGINT)
    assert service.wait() == 75
    assert "position left open: bot b1" in service.log
    assert service.history() == ["TRADE"]


def test_nothing_is_left_alive_and_the_port_is_free(running: Scripted) -> None:
    port = running.port
    family = running.family()
    assert len(family) >= 4
    assert running.stop() == 0
    eventually(lambda: not running.family(), "nobody of it lives")
    with socket.create_server(("127.0.0.1", port)):
        pass


def test_orphans_leave_by_themselves_when_the_supervisor_is_killed(running: Scripted) -> None:
    family = running.family()
    os.kill(running.pid, signal.SIGKILL)
    assert len(family) >= 4
    eventually(lambda: not running.family(), "nobody of it lives")
    assert running.history()[-1] == "ORPHAN"


@pytest.mark.says("service_started", "service_stopping", "service_stopped")
def test_a_stop_before_the_first_listing(service: Scripted, bots: Exchange) -> None:
    bots.fault("hang", call="bots", times=None)
    service.start()
    assert service.stop() == 0


def test_a_stop_while_bots_are_being_started(service: Scripted, bots: Exchange) -> None:
    bots.list_bots(*[bot_row(f"b{n}") for n in range(60)])
    service.start()
    eventually(lambda: service.status()["bots"])
    assert service.stop() == 0
    assert not processes.is_alive(service.pid)


def test_control_plane_is_gone_after_the_end(running: Scripted) -> None:
    port = running.port
    assert running.stop() == 0
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.1:{port}/health", timeout=5)
