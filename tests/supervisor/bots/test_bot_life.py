"""The life of one bot, with scripted processes and a real supervisor."""

from __future__ import annotations

import os
import signal

import pytest
from support import processes
from support.bot_process import bot_row
from support.deadline import eventually
from support.exchange import Exchange
from support.scripted_service import Scripted


@pytest.mark.says("bot_unlisted", "bot_stopped")
def test_a_listed_bot_runs_and_a_stopped_one_ends_flat(running: Scripted, bots: Exchange) -> None:
    bot = running.bot()
    assert bot["name"] == "bot b1"
    assert bot["restarts"] == 0
    assert bot["pid"] in {child.pid for child in processes.children(running.pid)}
    bots.stop_bot("b1")
    stopped = running.until("STOPPED")
    assert stopped["pid"] is None
    assert stopped["position"]["side"] is None
    assert running.history() == ["TRADE", "TRADE STOPPED"]


@pytest.mark.says("process_started", "bot_crashed", "bot_restarted")
def test_a_killed_runner_comes_back_and_resumes(running: Scripted) -> None:
    pid = running.bot()["pid"]
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: running.bot()["restarts"] == 1 and running.until("RUNNING"))
    assert running.bot()["pid"] != pid
    assert "SIGKILL" in running.bot()["last_error"]
    running.happened("TRADE", "TRADE")


def test_a_bot_that_recovered_and_was_stopped_has_no_error(
    running: Scripted, bots: Exchange
) -> None:
    os.kill(running.bot()["pid"], signal.SIGKILL)
    eventually(lambda: running.bot()["restarts"] == 1 and running.until("RUNNING"))
    bots.list_bots()
    assert running.until("STOPPED")["last_error"] is None


@pytest.mark.parametrize(
    "act", ["crash", "run_then_crash", "end_unasked", "half_line", "die_before_a_word"]
)
def test_an_end_nobody_asked_for_is_a_crash_until_there_are_too_many(
    service: Scripted, bots: Exchange, act: str
) -> None:
    service.direct(act=act)
    bots.list_bots(bot_row())
    service.start(EXECSVC_MAX_RESTARTS="2")
    failed = service.until("FAILED")
    assert "given up after too many crashes" in failed["last_error"]
    assert [line for line in service.history() if line == "TRADE"] == ["TRADE"] * 3
    code, health = service.health()
    assert (code, health["status"]) == (200, "degraded")
    assert "b1" in health["reasons"][0]


@pytest.mark.says("bot_failed", "bot_liquidating")
def test_a_bot_given_up_with_a_position_is_liquidated(service: Scripted, bots: Exchange) -> None:
    service.direct(act="open_then_crash")
    bots.list_bots(bot_row())
    service.start(EXECSVC_MAX_RESTARTS="0")
    failed = service.until("FAILED")
    assert failed["position"]["side"] is None
    assert service.history() == ["TRADE", "LIQUIDATE", "LIQUIDATE STOPPED"]


def test_a_bot_whose_ledger_is_not_available_is_never_failed_and_is_closed_in_the_end(
    service: Scripted, bots: Exchange
) -> None:
    service.direct("b1", act="open_then_have_no_ledger")
    service.direct("b2", act="have_no_ledger")
    bots.list_bots(bot_row("b1"), bot_row("b2"))
    service.start(EXECSVC_MAX_RESTARTS="1")
    unavailable = ["TRADE", "TRADE UNAVAILABLE"] * 2
    service.happened(*unavailable, "LIQUIDATE", "LIQUIDATE STOPPED")
    service.happened(*unavailable, bot_id="b2")
    for bot_id in ("b1", "b2"):
        assert service.until("BACKOFF", bot_id)["last_error"] == "database is locked"
    text = "bot b2 (bot b2): its ledger cannot be read or written at present (database is locked)"
    eventually(lambda: service.health()[1]["reasons"] == [text], "b1 could be closed, b2 waits")
    service.direct("b2")
    service.ask("release", "b2")
    service.until("RUNNING", "b2")
    eventually(lambda: service.health()[1]["status"] == "ok", "b2 is well", 60)


@pytest.mark.parametrize(
    ("act", "words"), [("refuse", "unknown strategy"), ("fail", "ten times in a row")]
)
def test_refused_and_failed_bots_are_not_restarted_until_their_row_changes(
    service: Scripted, bots: Exchange, act: str, words: str
) -> None:
    service.direct(act=act)
    bots.list_bots(bot_row())
    service.start()
    assert words in service.until("FAILED")["last_error"]
    before = service.history()
    service.direct()
    bots.list_bots(bot_row(allocation="50") | {"name": "renamed"})
    eventually(lambda: service.bot()["name"] == "renamed")
    assert service.history() == before
    bots.list_bots(bot_row(params={"hold_duration": 61}))
    assert service.until("RUNNING")["last_error"] != words


def test_a_failed_bot_that_leaves_and_comes_back_starts(service: Scripted, bots: Exchange) -> None:
    service.direct(act="refuse")
    bots.list_bots(bot_row(), bot_row("b2"))
    service.start()
    service.until("FAILED")
    bots.list_bots(bot_row("b2"))
    service.until("STOPPED")
    service.direct()
    bots.list_bots(bot_row(), bot_row("b2"))
    service.until("RUNNING")


def test_a_failed_bot_that_is_released_starts(service: Scripted, bots: Exchange) -> None:
    service.direct(act="refuse")
    bots.list_bots(bot_row())
    service.start()
    service.until("FAILED")
    service.direct()
    assert service.ask("release")["ok"]
    service.until("RUNNING")
    assert service.ask("release", bot_id="nobody") == {"error": "no such bot"}


@pytest.mark.says("process_killed")
def test_a_runner_without_a_sign_of_life_is_replaced(service: Scripted, bots: Exchange) -> None:
    service.direct(silent=True, deaf=True)
    bots.list_bots(bot_row())
    service.start(EXECSVC_HANG_TIMEOUT="10")
    service.until("RUNNING")
    service.direct()
    eventually(lambda: service.bot()["restarts"] == 1)
    assert "no heartbeat for 10 s" in service.bot()["last_error"]
    service.until("RUNNING")


def test_a_stopped_runner_counts_as_hung(running: Scripted) -> None:
    running.signal(signal.SIGTERM)
    running.wait()
    running.start(EXECSVC_HANG_TIMEOUT="10")
    pid = running.until("RUNNING")["pid"]
    os.kill(pid, signal.SIGSTOP)
    eventually(lambda: running.bot()["restarts"] == 1)
    running.until("RUNNING")


def test_a_bot_with_a_ledger_that_cannot_be_read_fails_alone(
    service: Scripted, bots: Exchange
) -> None:
    service.scripts.damage("b1")
    bots.list_bots(bot_row(), bot_row("b2"))
    service.start()
    assert "is damaged" in service.until("FAILED")["last_error"]
    service.until("RUNNING", "b2")
    assert [bot["bot_id"] for bot in service.status()["bots"]] == ["b1", "b2"]
    assert service.history() == []
    assert service.stop() == 75
    assert "position left open: bot b1, unknown symbol, tracked unknown" in service.log


def test_a_damaged_ledger_of_nobody_listed_is_shown_by_its_file(
    service: Scripted, bots: Exchange
) -> None:
    service.scripts.damage("lost")
    service.start()
    bot = eventually(lambda: service.status()["bots"])[0]
    assert bot["bot_id"].startswith("lost-")
    assert bot["state"] == "FAILED"


def test_why_a_position_was_open_is_no_error_of_a_bot_that_is_flat(
    service: Scripted, bots: Exchange
) -> None:
    service.direct(opens=True, residue=True, liquidation="fails")
    bots.list_bots(bot_row(), bot_row("b2"))
    service.start(EXECSVC_LIQUIDATION_RETRY="1")
    service.until("RUNNING")
    bots.stop_bot("b1")
    eventually(lambda: "LIQUIDATE RESIDUE" in service.history(), "it failed once")
    service.direct()
    assert service.until("STOPPED")["last_error"] is None


def test_one_of_nobody_listed_that_can_be_read_again_is_closed(
    service: Scripted, bots: Exchange
) -> None:
    service.scripts.damage("lost")
    service.start()
    eventually(lambda: service.status()["bots"])
    service.scripts.keep("lost", is_open=True, binding=None)
    eventually(lambda: "LIQUIDATE" in service.history("lost"), "it is sold", 30)


def test_a_bot_whose_ledger_was_repaired_is_rechecked(service: Scripted, bots: Exchange) -> None:
    service.scripts.damage("b1")
    bots.list_bots(bot_row())
    service.start()
    service.until("FAILED")
    service.scripts.keep("b1", is_open=False, binding=None)
    service.ask("recheck")
    service.until("RUNNING")


def test_a_position_whose_ledger_was_unreadable_for_a_while_is_closed(
    service: Scripted, bots: Exchange
) -> None:
    service.scripts.damage("b1")
    bots.list_bots(bot_row())
    service.start()
    service.until("FAILED")
    service.scripts.keep("b1", is_open=True, binding=None)
    eventually(lambda: "LIQUIDATE" in service.history(), "it is sold unasked", 30)
    assert "TRADE" not in service.history()


@pytest.mark.says("stray_killed")
def test_litter_of_a_dead_runner_is_killed(service: Scripted, bots: Exchange) -> None:
    service.direct(act="litter")
    bots.list_bots(bot_row())
    service.start(EXECSVC_MAX_RESTARTS="0")
    service.until("FAILED")
    pids = [int(line.split()[1]) for line in service.history() if line.startswith("LITTER")]
    assert len(pids) == 2
    eventually(lambda: not any(map(processes.is_alive, pids)), "the litter is gone")


def test_a_child_begins_clean(service: Scripted, bots: Exchange) -> None:
    service.direct(act="list_descriptors")
    bots.list_bots(bot_row())
    service.start()
    service.until("RUNNING")
    lines = {line.split(" ", 1)[0]: line.split(" ", 1)[1] for line in service.history()[1:]}
    assert lines["SESSION"] == "True []"
    descriptors = lines["DESCRIPTORS"]
    assert "socket" not in descriptors
    assert "eventpoll" not in descriptors
    assert "supervisor.lock" not in descriptors
    # Lifeline, report pipe and its own wake-up pipe's two ends; stdin, stdout, stderr; the listing.
    assert descriptors.count("pipe:") == 4
    assert descriptors.count('"') // 2 <= 8
