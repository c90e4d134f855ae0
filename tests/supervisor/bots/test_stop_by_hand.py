"""``{"call": "stop"}``: an operator's word on one bot, whatever that bot is doing."""

from __future__ import annotations

import json
import os
import signal
from typing import Any

import pytest
from support.bot_process import bot_row
from support.deadline import eventually
from support.exchange import Exchange
from support.scripted_service import Scripted


def held(service: Scripted) -> dict[str, bool]:
    path = service.state_dir / "held.json"
    found: dict[str, bool] = json.loads(path.read_text()) if path.exists() else {}
    return found


def left(service: Scripted, bot_id: str = "b1") -> Any:
    """The unfinished part of one bot."""
    return service.ask("unfinished", bot_id or "b1")["bots"]


def flat_and_held(service: Scripted) -> dict[str, Any]:
    bot = service.until("HELD")
    assert bot["position"]["side"] is None
    assert left(service) == []
    assert held(service) == {"b1": False}
    return bot


@pytest.mark.says("bot_stop_asked")
def test_a_running_bot_ends_flat_and_is_held(running: Scripted) -> None:
    answer = running.ask("stop")
    assert (answer["ok"], answer["state"], answer["written"]) == (True, "STOPPING", True)
    assert held(running) == {"b1": False}, "it is written down before it has ended"
    bot = flat_and_held(running)
    assert bot["last_error"] == "stopped by an operator"
    assert running.history() == ["TRADE", "TRADE STOPPED"]


def test_it_stays_held_over_a_restart_and_until_it_is_released(running: Scripted) -> None:
    running.ask("stop")
    flat_and_held(running)
    assert running.stop() == 0
    running.start()
    eventually(lambda: running.status()["poll"]["last_success_at"])
    flat_and_held(running)
    assert running.ask("release")["ok"]
    running.until("RUNNING")


def test_the_supervisor_dies_right_after_the_answer(service: Scripted, bots: Exchange) -> None:
    service.direct(opens=True, stop_beats=10_000)
    bots.list_bots(bot_row())
    service.start()
    service.until("RUNNING")
    service.direct()
    service.ask("stop")
    service.signal(signal.SIGKILL)
    service.wait()
    service.start()
    flat_and_held(service)
    assert service.history().count("TRADE") == 1
    assert "LIQUIDATE STOPPED" in service.history()


def test_a_bot_that_waits_for_its_restart(service: Scripted, bots: Exchange) -> None:
    service.direct(act="open_then_crash")
    bots.list_bots(bot_row())
    service.start(EXECSVC_MAX_RESTARTS="50")
    eventually(lambda: service.bot()["state"] == "BACKOFF" and service.bot()["restarts"] >= 1)
    service.direct()
    service.ask("stop")
    flat_and_held(service)
    assert service.history()[-2:] == ["LIQUIDATE", "LIQUIDATE STOPPED"]


def test_a_bot_whose_liquidation_waits_for_its_next_try(service: Scripted, bots: Exchange) -> None:
    service.direct(opens=True, residue=True, liquidation="fails")
    bots.list_bots(bot_row(), bot_row("b2"))
    service.start(EXECSVC_LIQUIDATION_RETRY="600")
    service.until("RUNNING")
    bots.stop_bot("b1")
    eventually(lambda: service.history()[-1:] == ["TRADE RESIDUE"] and not service.bot()["pid"])
    service.direct()
    bots.list_bots(bot_row() | {"name": "again"}, bot_row("b2"))
    eventually(lambda: service.bot()["name"] == "again")
    assert service.bot()["state"] == "LIQUIDATING"
    service.ask("stop")
    flat_and_held(service)


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGUSR2])
def test_a_bot_that_an_operator_signalled_a_moment_ago(
    running: Scripted, signum: signal.Signals
) -> None:
    pid = running.bot()["pid"]
    os.kill(pid, signum)
    eventually(lambda: running.bot()["pid"] is None)
    running.ask("stop")
    flat_and_held(running)


def test_a_held_bot_with_a_kept_position_is_liquidated(running: Scripted) -> None:
    os.kill(running.bot()["pid"], signal.SIGUSR2)
    assert running.until("HELD")["position"]["side"] == "BUY"
    assert held(running) == {"b1": True}
    running.ask("stop")
    eventually(lambda: running.bot()["position"]["side"] is None)
    bot = flat_and_held(running)
    assert bot["last_error"] == "stopped by an operator; before: ended on USR2 to its process"


def test_a_failed_bot_does_not_come_back_with_another_row(
    service: Scripted, bots: Exchange
) -> None:
    service.direct(act="refuse")
    bots.list_bots(bot_row())
    service.start()
    service.until("FAILED")
    service.direct()
    service.ask("stop")
    bot = flat_and_held(service)
    assert bot["last_error"] == "stopped by an operator; before: unknown strategy"
    bots.list_bots(bot_row(params={"hold_duration": 61}) | {"name": "new"})
    eventually(lambda: service.bot()["name"] == "new")
    assert service.bot()["state"] == "HELD"


def test_a_bot_whose_ledger_cannot_be_read_stays_failed(service: Scripted, bots: Exchange) -> None:
    service.scripts.damage("b1")
    bots.list_bots(bot_row())
    service.start()
    service.until("FAILED")
    service.ask("stop")
    assert service.bot()["state"] == "FAILED"
    (found,) = left(service)
    assert found["why"].startswith("its position is unknown: ")
    assert found["why"].endswith("is damaged")
    assert (found["tracked"], found["going_on"]) == (None, False)


def test_a_bot_that_is_not_listed_any_more_only_ends(running: Scripted, bots: Exchange) -> None:
    bots.stop_bot("b1")
    running.until("STOPPED")
    assert running.ask("stop")["state"] == "STOPPED"
    assert held(running) == {}
    bots.list_bots(bot_row())
    running.until("RUNNING")


def test_a_bot_that_nobody_knows_holds_nothing(running: Scripted) -> None:
    assert running.ask("stop", "nobody") == {"ok": True, "state": None, "written": True}
    assert left(running, "nobody") == []


def test_what_cannot_be_written_down_is_done_and_said(running: Scripted) -> None:
    (running.state_dir / "held.new").mkdir()
    answer = running.ask("stop")
    assert (answer["ok"], answer["written"]) == (True, False)
    assert running.until("HELD")["position"]["side"] is None
    assert "held.json cannot be written" in running.log
    (running.state_dir / "held.new").rmdir()
    eventually(lambda: held(running) == {"b1": False}, "it is written at last", 60)


def test_a_service_that_stops_and_holds_leaves_it_to_the_next_start(
    service: Scripted, bots: Exchange
) -> None:
    service.direct("b1", opens=True)
    service.direct("b2", deaf=True, stop_beats=10_000)
    bots.list_bots(bot_row(), bot_row("b2"))
    service.start(EXECSVC_SHUTDOWN_TIMEOUT="5")
    service.until("RUNNING")
    service.until("RUNNING", "b2")
    service.signal(signal.SIGUSR2)
    service.happened("TRADE", "TRADE HELD")
    assert service.ask("stop")["written"]
    assert service.wait() == 75, "a position that was to be closed is left open"
    bots.list_bots(bot_row())
    service.start()
    eventually(lambda: service.history()[-1] == "LIQUIDATE STOPPED")
    flat_and_held(service)
