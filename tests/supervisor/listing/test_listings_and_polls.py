"""Listings, good and bad, and who is stopped by them."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest
from support.bot_process import bot_row
from support.deadline import eventually
from support.exchange import Exchange
from support.scripted_service import Scripted


def names(count: int) -> list[str]:
    return [f"b{n}" for n in range(1, count + 1)]


def start(service: Scripted, bots: Exchange, count: int, **environ: str) -> None:
    bots.list_bots(*[bot_row(name) for name in names(count)])
    service.start(**environ)
    eventually(lambda: service.status()["running_bots"] == count)


def listings(bots: Exchange) -> int:
    """The count of requests for RUNNING bots: one a listing, whatever else the listing requests."""
    return sum(request["query"].get("status") == "RUNNING" for request in bots.listings(100))


def polls_pass(bots: Exchange, count: int = 6) -> None:
    before = bots.requests_of("bots")
    eventually(lambda: bots.requests_of("bots") >= before + count, f"{count} polls")


@pytest.mark.says("listing_failed", "listing_recovered")
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 404},
        {"kind": "garbage"},
        {"kind": "reset"},
    ],
    ids=lambda fault: f"{fault['kind']} {fault.get('status', '')}",
)
def test_a_failed_listing_stops_nobody(
    service: Scripted, bots: Exchange, fault: dict[str, Any]
) -> None:
    start(service, bots, 3)
    bots.fault(call="bots", times=None, **fault)
    bots.list_bots()  # after the fault: no listing in between may say that no bot is to run
    eventually(lambda: service.status()["poll"]["consecutive_failures"] >= 3)
    status = service.status()
    assert status["running_bots"] == 3
    assert status["poll"]["last_error"]
    eventually(lambda: service.health()[1]["status"] == "degraded")
    assert "no good listing" in service.health()[1]["reasons"][0]
    bots.list_bots(*[bot_row(name) for name in names(3)])
    bots.heal()
    eventually(lambda: service.health() == (200, {**service.health()[1], "status": "ok"}))
    assert service.status()["poll"]["consecutive_failures"] == 0
    assert service.log.count("listing failed") <= 2
    assert all(service.history(name) == ["TRADE"] for name in names(3))


@pytest.mark.says("mass_stop_held_back")
def test_a_mass_stop_waits_for_three_polls(service: Scripted, bots: Exchange) -> None:
    start(service, bots, 6, EXECSVC_POLL_INTERVAL="1")
    bots.list_bots()
    pending = eventually(lambda: service.status()["poll"]["pending_mass_stop"])
    assert pending == {"bots": 6, "of": 6, "polls": pending["polls"], "needed": 3}
    assert service.status()["running_bots"] == 6
    eventually(lambda: service.status()["counts"] == {"STOPPED": 6})
    assert service.status()["poll"]["pending_mass_stop"] is None
    assert "poll 1 of 3" in service.log
    assert service.log.count("no bot is stopped yet") == 1


def test_a_list_that_comes_back_stops_nobody(service: Scripted, bots: Exchange) -> None:
    start(service, bots, 6, EXECSVC_MASS_STOP_CONFIRMATIONS="1000")
    bots.list_bots()
    eventually(lambda: service.status()["poll"]["pending_mass_stop"])
    bots.list_bots(*[bot_row(name) for name in names(6)])
    eventually(lambda: not service.status()["poll"]["pending_mass_stop"])
    assert service.status()["running_bots"] == 6
    assert all(service.history(name) == ["TRADE"] for name in names(6))


def test_half_of_the_bots_stop_at_once(service: Scripted, bots: Exchange) -> None:
    start(service, bots, 10, EXECSVC_MASS_STOP_CONFIRMATIONS="1000")
    bots.list_bots(*[bot_row(name) for name in names(5)])
    eventually(lambda: service.status()["counts"] == {"RUNNING": 5, "STOPPED": 5})


def test_the_guard_holds_for_the_first_listing_after_a_start(
    service: Scripted, bots: Exchange
) -> None:
    for name in names(5):
        service.direct(name, opens=True)
    start(service, bots, 5)
    service.signal(signal.SIGUSR2)
    assert service.wait() == 0
    bots.list_bots()
    service.start(EXECSVC_MASS_STOP_CONFIRMATIONS="1000")
    eventually(lambda: service.status()["poll"]["pending_mass_stop"])
    polls_pass(bots)
    assert service.status()["counts"] == {"BACKOFF": 5}
    bots.list_bots(*[bot_row(name) for name in names(5)])
    eventually(lambda: service.status()["running_bots"] == 5)
    assert all("LIQUIDATE" not in service.history(name) for name in names(5))


def test_positions_of_unlisted_bots_wait_for_the_first_good_listing(
    service: Scripted, bots: Exchange
) -> None:
    service.direct(opens=True)
    start(service, bots, 1)
    service.signal(signal.SIGUSR2)
    assert service.wait() == 0
    bots.list_bots()
    bots.fault("status", call="bots", status=500, times=None)
    service.start()
    eventually(lambda: service.status()["poll"]["consecutive_failures"] >= 3)
    bot = service.bot()
    assert (bot["state"], bot["pid"], bot["position"]["side"]) == ("BACKOFF", None, "BUY")
    assert bot["symbol"] == "BTC/USDT"
    bots.heal()
    service.until("STOPPED")
    service.happened("TRADE", "TRADE HELD", "LIQUIDATE", "LIQUIDATE STOPPED")


def test_a_position_of_another_place_is_closed_before_its_bot_starts(
    service: Scripted, bots: Exchange
) -> None:
    service.direct(opens=True)
    start(service, bots, 1)
    service.signal(signal.SIGUSR2)
    assert service.wait() == 0
    bots.list_bots(bot_row(symbol="ETH/USDT"))
    service.start()
    assert service.until("RUNNING")["symbol"] == "ETH/USDT"
    service.happened("TRADE", "TRADE HELD", "LIQUIDATE", "LIQUIDATE STOPPED", "TRADE")


def test_a_poll_lists_before_the_interval(service: Scripted, bots: Exchange) -> None:
    start(service, bots, 1, EXECSVC_POLL_INTERVAL="3600")
    bots.list_bots(bot_row("b1"), bot_row("b2"))
    answer = service.post("/poll")
    assert (answer.status_code, answer.json()) == (202, {"accepted": True})
    service.until("RUNNING", "b2")


def test_polls_within_a_second_make_one_listing(service: Scripted, bots: Exchange) -> None:
    start(service, bots, 1, EXECSVC_POLL_INTERVAL="3600", EXECSVC_PAGE_SIZE="0")
    before = listings(bots)
    for _ in range(5):
        service.post("/poll")
    eventually(lambda: listings(bots) > before)
    bots.list_bots(bot_row("b1"), bot_row("b2"))
    service.post("/poll")
    service.until("RUNNING", "b2")
    assert listings(bots) == before + 2


def test_a_missing_bot_is_asked_for_again_at_once(service: Scripted, bots: Exchange) -> None:
    start(service, bots, 2, EXECSVC_POLL_INTERVAL="3600")
    bots.list_bots(bot_row("b1"))
    service.post("/poll")
    service.until("STOPPED", "b2")


@pytest.mark.says("settings_read", "settings_late")
def test_hup_polls_and_reads_the_settings_again(service: Scripted, bots: Exchange) -> None:
    start(service, bots, 1, EXECSVC_POLL_INTERVAL="3600")
    (service.folder / "reload.json").write_text(
        '{"EXECSVC_POLL_INTERVAL": "0.2", "EXECSVC_PAGE_SIZE": "7"}'
    )
    bots.list_bots(bot_row("b1"), bot_row("b2"))
    service.signal(signal.SIGHUP)
    service.until("RUNNING", "b2")
    assert service.status()["poll"]["interval_sec"] == 0.2
    assert "only a restart changes EXECSVC_PAGE_SIZE" in service.log
    polls_pass(bots)


@pytest.mark.says("settings_refused")
def test_settings_that_are_refused_are_kept(service: Scripted, bots: Exchange) -> None:
    start(service, bots, 1)
    (service.folder / "reload.json").write_text('{"EXECSVC_POLL_INTERVAL": "-1"}')
    service.signal(signal.SIGHUP)
    eventually(lambda: "settings are kept" in service.log)
    assert "EXECSVC_POLL_INTERVAL" in service.log
    assert service.status()["poll"]["interval_sec"] == 0.2


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP])
def test_the_listing_child_comes_back(
    service: Scripted, bots: Exchange, how: signal.Signals
) -> None:
    start(service, bots, 1, EXECSVC_HANG_TIMEOUT="12")
    pid = service.child("execsvc: listing")
    os.kill(pid, how)
    bots.list_bots(bot_row("b1"), bot_row("b2"))
    service.until("RUNNING", "b2")
    assert service.child("execsvc: listing") != pid
    assert service.bot("b1")["restarts"] == 0


def test_a_bot_with_any_id_runs(service: Scripted, bots: Exchange) -> None:
    ids = ["a/b", "..", "ключ", "x" * 200, "sp ace", "\N{SNOWMAN}%2F"]
    bots.list_bots(*[bot_row(bot_id) for bot_id in ids])
    service.start()
    for bot_id in ids:
        service.until("RUNNING", bot_id)
    assert service.stop() == 0
