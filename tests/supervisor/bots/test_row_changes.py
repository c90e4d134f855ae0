"""Rows of running bots that change."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest
from support.bot_process import bot_row
from support.deadline import eventually
from support.exchange import Exchange
from support.scripted_service import Scripted


def seen_by_the_supervisor(service: Scripted, bots: Exchange, row: dict[str, Any]) -> None:
    """List this row alone, and wait until the supervisor knows its name."""
    bots.list_bots(row)
    eventually(lambda: service.bot()["name"] == row["name"], f"the row named {row['name']}")


@pytest.mark.parametrize(
    "change", [{"params": {"hold_duration": 61}}, {"allocation": "50"}, {"interval": 0.2}]
)
def test_other_parameters_replace_the_runner_and_keep_its_position(
    running: Scripted, bots: Exchange, change: dict[str, Any]
) -> None:
    bots.list_bots(bot_row(**change))
    running.happened("TRADE", "CHECK", "CHECK CHECKED", "TRADE HELD", "TRADE")
    bot = running.until("RUNNING")
    assert bot["restarts"] == 0
    assert bot["position"]["side"] == "BUY"


@pytest.mark.parametrize(
    "change",
    [{"symbol": "ETH/USDT"}, {"key": "k2"}, {"mode": "PAPER"}, {"strategy": "orderflow_x"}],
)
def test_another_place_is_liquidated_first(
    running: Scripted, bots: Exchange, change: dict[str, str]
) -> None:
    bots.list_bots(bot_row(**change))
    running.happened("TRADE", "CHECK", "CHECK CHECKED", "TRADE STOPPED", "TRADE")
    bot = running.until("RUNNING")
    assert change.items() <= {**bot, "key": bot["key_id"]}.items()


def test_another_name_changes_nothing_but_the_name(running: Scripted, bots: Exchange) -> None:
    pid = running.bot()["pid"]
    bots.list_bots(bot_row() | {"name": "other"})
    eventually(lambda: running.bot()["name"] == "other")
    assert running.bot()["pid"] == pid
    assert running.history() == ["TRADE"]


@pytest.mark.says("bot_change_refused")
def test_a_refused_change_changes_nothing_but_last_error(running: Scripted, bots: Exchange) -> None:
    pid = running.bot()["pid"]
    running.direct(check="refuses")
    bots.list_bots(bot_row(params={"hold_duration": -1}))
    eventually(lambda: running.bot()["last_error"])
    assert running.bot()["last_error"] == "change refused: bad parameters"
    polls = bots.requests_of("bots")
    eventually(lambda: bots.requests_of("bots") > polls + 6)
    assert running.history() == ["TRADE", "CHECK", "CHECK REFUSED"]
    assert (running.bot()["pid"], running.bot()["state"]) == (pid, "RUNNING")
    bots.list_bots(bot_row())
    eventually(lambda: running.bot()["last_error"] is None)
    running.direct()
    bots.list_bots(bot_row(params={"hold_duration": 5}))
    eventually(lambda: running.history()[-2:] == ["TRADE HELD", "TRADE"])


@pytest.mark.says("bot_invalid")
def test_a_malformed_row_changes_nothing_but_last_error(running: Scripted, bots: Exchange) -> None:
    pid = running.bot()["pid"]
    bots.list_bots(bot_row() | {"global_settings": "?"})
    eventually(lambda: running.bot()["last_error"])
    assert (running.bot()["pid"], running.bot()["state"]) == (pid, "RUNNING")
    bots.list_bots(bot_row())
    eventually(lambda: running.bot()["last_error"] is None)
    assert running.history() == ["TRADE"]


@pytest.mark.parametrize("how", ["crashes", "hangs"])
def test_a_check_without_an_answer_changes_nothing(
    service: Scripted, bots: Exchange, how: str
) -> None:
    bots.list_bots(bot_row())
    service.start(EXECSVC_HANG_TIMEOUT="10")
    pid = service.until("RUNNING")["pid"]
    service.direct(check=how)
    bots.list_bots(bot_row(params={"hold_duration": 61}))
    eventually(lambda: "could not be checked" in (service.bot()["last_error"] or ""))
    assert (service.bot()["pid"], service.bot()["state"]) == (pid, "RUNNING")


@pytest.mark.parametrize(
    ("end", "told"),
    [(signal.SIGKILL, []), (signal.SIGTERM, ["CHECK CHECKED"])],
    ids=["no answer", "an answer"],
)
def test_a_row_that_changes_back_while_it_is_checked_stays(
    service: Scripted, bots: Exchange, end: signal.Signals, told: list[str]
) -> None:
    bots.list_bots(bot_row())
    service.start(EXECSVC_HANG_TIMEOUT="600")
    pid = service.until("RUNNING")["pid"]
    service.direct(check="hangs")
    bots.list_bots(bot_row(params={"hold_duration": 61}))
    eventually(lambda: "CHECK" in service.history(), "the check has begun")
    (check,) = service.checks()
    seen_by_the_supervisor(service, bots, bot_row() | {"name": "back"})
    os.kill(check, end)
    eventually(lambda: not service.checks(), "the check is over")
    seen_by_the_supervisor(service, bots, bot_row() | {"name": "later"})
    assert (service.bot()["pid"], service.bot()["state"]) == (pid, "RUNNING")
    assert service.bot()["last_error"] is None
    assert service.history() == ["TRADE", "CHECK", *told]


def test_an_invalid_row_without_a_runner_is_shown_with_its_reason(
    service: Scripted, bots: Exchange
) -> None:
    bots.list_bots(
        bot_row("b1") | {"pipeline": None}, bot_row("b2"), {"id": 7, "status": "RUNNING"}
    )
    service.start()
    service.until("RUNNING", "b2")
    assert "pipeline" in service.until("INVALID")["last_error"]
    assert service.until("INVALID", "")["last_error"].startswith("id is 7: a string")
    assert service.status()["counts"] == {"INVALID": 2, "RUNNING": 1}
    bots.list_bots(bot_row("b1"), bot_row("b2"))
    service.until("RUNNING", "b1")


def test_a_crashed_bot_whose_row_turned_invalid_is_liquidated(
    service: Scripted, bots: Exchange
) -> None:
    service.direct(act="open_then_crash")
    bots.list_bots(bot_row())
    service.start()
    service.until("BACKOFF")
    bots.list_bots(bot_row() | {"pipeline": None})
    assert service.until("INVALID")["position"]["side"] is None
    assert service.history()[-1] == "LIQUIDATE STOPPED"


def test_listed_again_while_stopping_starts_when_flat(service: Scripted, bots: Exchange) -> None:
    service.direct(opens=True, stop_beats=30)
    bots.list_bots(bot_row())
    service.start()
    service.until("RUNNING")
    bots.stop_bot("b1")
    service.until("STOPPING")
    bots.list_bots(bot_row())
    service.direct()
    service.happened("TRADE", "TRADE STOPPED", "TRADE")
    service.until("RUNNING")


def test_listed_again_while_liquidating_starts_when_flat(service: Scripted, bots: Exchange) -> None:
    service.direct(opens=True, residue=True, liquidation="fails")
    bots.list_bots(bot_row())
    service.start()
    service.until("RUNNING")
    bots.stop_bot("b1")
    service.until("LIQUIDATING")
    bots.list_bots(bot_row())
    eventually(lambda: service.history().count("LIQUIDATE") >= 3)
    assert service.bot()["state"] == "LIQUIDATING"
    service.direct()
    service.until("RUNNING")
    assert service.history()[-2:] == ["LIQUIDATE STOPPED", "TRADE"]
