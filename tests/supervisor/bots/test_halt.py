"""``{"call": "halt"}`` and ``{"call": "resume"}``, with scripted bots and a real supervisor."""

from __future__ import annotations

import json
import os
import signal

import pytest
from support.bot_process import bot_row
from support.deadline import eventually
from support.exchange import Exchange
from support.halting import TEXT, again, all_flat, halted, holding
from support.scripted_service import Scripted


@pytest.mark.says("trading_resumed")
def test_every_bot_ends_flat_and_none_starts_until_resumed(
    service: Scripted, bots: Exchange
) -> None:
    holding(service, bots, 6)
    answer = service.ask("halt")
    assert answer["ok"]
    assert answer["not_written"] is None
    assert json.loads((service.state_dir / "halted.json").read_text()) == answer["halted"]
    all_flat(service)
    assert halted(service) == answer["halted"]
    assert service.status()["counts"] == {"STOPPED": 6}
    assert f"{TEXT} (since {answer['halted']['since']})" in service.log
    assert service.bot()["last_error"] == TEXT
    assert service.health() == (
        200,
        {"status": "degraded", "service": "execution-service", "reasons": [TEXT]},
    )
    bots.list_bots(*[bot_row(f"b{n}", params={"hold_duration": 61}) for n in range(1, 8)])
    eventually(lambda: service.bot("b7"))
    assert service.bot("b7")["state"] == "STOPPED"
    assert service.history("b7") == []
    resumed = service.ask("resume")
    assert (resumed["was"], resumed["held"]) == (answer["halted"], [])
    eventually(lambda: service.status()["counts"] == {"RUNNING": 7})
    assert "trading is resumed" in service.log
    assert halted(service) is None
    assert service.health()[1]["status"] == "ok"
    assert not (service.state_dir / "halted.json").exists()
    assert service.bot()["restarts"] == 0


def test_it_holds_over_a_restart(service: Scripted, bots: Exchange) -> None:
    holding(service, bots, 2)
    said = service.ask("halt")["halted"]
    all_flat(service)
    assert service.stop() == 0
    again(service)
    assert halted(service) == said
    assert service.status()["counts"] == {"STOPPED": 2}
    assert service.history() == ["TRADE", "TRADE STOPPED"]
    service.ask("resume")
    service.until("RUNNING")


def test_it_holds_when_the_supervisor_dies_right_after_the_answer(
    service: Scripted, bots: Exchange
) -> None:
    holding(service, bots, 3)
    service.ask("halt")
    service.signal(signal.SIGKILL)
    service.wait()
    bots.fault("status", call="bots", status=500, times=None)
    service.start()
    all_flat(service)
    bots.heal()
    eventually(lambda: service.status()["poll"]["last_success_at"])
    assert service.status()["counts"] == {"STOPPED": 3}
    assert all(service.history(f"b{n}").count("TRADE") == 1 for n in (1, 2, 3))


def test_what_an_earlier_run_left_is_closed_before_any_listing(
    service: Scripted, bots: Exchange
) -> None:
    holding(service, bots, 2, EXECSVC_ON_SHUTDOWN="hold")
    assert service.stop() == 0
    bots.fault("status", call="bots", status=500, times=None)
    service.start()
    assert service.until("BACKOFF")["position"]["side"] == "BUY"
    service.ask("halt")
    all_flat(service)
    assert service.status()["poll"]["last_success_at"] is None
    assert service.status()["counts"] == {"STOPPED": 2}


def test_a_held_bot_with_a_kept_position_is_closed_and_stays_held(
    service: Scripted, bots: Exchange
) -> None:
    pids = holding(service, bots, 3)
    os.kill(pids[0], signal.SIGUSR2)
    assert service.until("HELD")["position"]["side"] == "BUY"
    service.ask("halt")
    all_flat(service)
    assert service.bot()["state"] == "HELD"
    assert service.ask("resume")["held"] == ["b1"]
    service.until("RUNNING", "b2")
    assert service.bot()["state"] == "HELD"


def test_a_signal_by_hand_just_before_is_not_forgotten(service: Scripted, bots: Exchange) -> None:
    pids = holding(service, bots, 3)
    os.kill(pids[0], signal.SIGUSR2)
    eventually(lambda: service.history()[-1] == "TRADE HELD")
    # Between its last word and the supervisor's hearing of it a halt would be told to it as well.
    eventually(lambda: service.bot()["pid"] is None, "its end was seen")
    service.ask("halt")
    all_flat(service)
    service.until("HELD")
    service.ask("resume")
    service.until("RUNNING", "b2")
    assert service.bot()["state"] == "HELD"


def test_a_bot_in_backoff_is_closed(service: Scripted, bots: Exchange) -> None:
    service.direct(act="open_then_crash")
    bots.list_bots(bot_row())
    service.start(EXECSVC_MAX_RESTARTS="50")
    eventually(lambda: service.bot()["state"] == "BACKOFF" and service.bot()["restarts"] >= 1)
    service.ask("halt")
    all_flat(service)
    assert service.bot()["state"] == "STOPPED"
    assert service.bot()["last_error"].startswith(f"{TEXT}; ")


def test_release_starts_nobody_while_halted(running: Scripted) -> None:
    running.ask("stop")
    running.until("HELD")
    running.ask("halt")
    running.ask("release")
    running.until("STOPPED")
    assert running.history() == ["TRADE", "TRADE STOPPED"]
    running.ask("resume")
    running.until("RUNNING")


def test_resume_while_bots_are_still_stopping_waits_for_them(
    service: Scripted, bots: Exchange
) -> None:
    service.direct(opens=True, stop_beats=60)
    bots.list_bots(bot_row())
    service.start()
    service.until("RUNNING")
    service.ask("halt")
    service.until("STOPPING")
    service.direct()
    service.ask("resume")
    service.until("RUNNING")
    assert service.history() == ["TRADE", "TRADE STOPPED", "TRADE"]


def test_what_is_no_reason_is_refused(running: Scripted) -> None:
    for reason in ("", " ", 5, ["x"]):
        assert "error" in running.call({"call": "halt", "reason": reason})
    assert halted(running) is None
    said = running.call({"call": "halt", "reason": "the exchange lies"})
    assert said["halted"]["reason"] == "the exchange lies"
