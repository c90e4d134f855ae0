"""A bot that cannot run leaves no locked row in BotService, and its user may start it again."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from support.bot_process import bot_row
from support.bot_service_front import Front, front
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import Exchange
from support.receiver import Receiver
from support.verdicts import listed_again

from execsvc.sandbox.server import Sandbox


@pytest.fixture
def between(daemon: Daemon, sandbox: Sandbox) -> Iterator[Front]:
    """The server that the daemon takes for BotService; nothing is ever put by the service."""
    for made in front(sandbox.url):
        daemon.environ["EXECSVC_BOT_SERVICE_URL"] = made.url
        yield made
        assert not [
            asked for asked in made.asked if asked.method == "PUT" and "/bots" in asked.path
        ]


def booting(bot_id: str = "b1", **changes: Any) -> dict[str, Any]:
    return {**bot_row(bot_id), "status": "BOOTING", **changes}


def until(exchange: Exchange, status: str) -> None:
    eventually(lambda: exchange.bot_status() == status, f"the row is {status}")


def until_over(daemon: Daemon, *reason: str) -> None:
    """The bot is STOPPED, no longer listed, and says why."""

    def said() -> bool:
        bot = daemon.bot()
        error = bot.get("last_error") or ""
        return bot.get("state") == "STOPPED" and all(word in error for word in reason)

    eventually(said, f"it is STOPPED and says {reason}")
    eventually(lambda: daemon.health()[1]["status"] == "ok", "the service is well")


def starts_again(daemon: Daemon, exchange: Exchange, sessions: int) -> None:
    """The user corrects the row and presses Start."""
    exchange.change_bot("b1", **booting())
    until(exchange, "RUNNING")
    daemon.until("RUNNING")
    found = exchange.tables()["sessions"]
    assert [session["opened_by"] for session in found] == ["start"] * sessions
    assert daemon.stop() == 0


@pytest.mark.says("bot_given_back")
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"pipeline": {"strategy": {"id": "unheard_of", "params": {}}}}, ("FAILED", "unheard_of")),
        ({"pipeline": None}, ("pipeline",)),
    ],
    ids=["failed", "invalid"],
)
def test_booting_bot_that_cannot_run_gives_its_row_back(
    daemon: Daemon,
    exchange: Exchange,
    between: Front,
    changes: dict[str, Any],
    reason: tuple[str, ...],
) -> None:
    receiver = Receiver()
    exchange.list_bots(booting(**changes))
    daemon.start(EXECSVC_ALERT_URLS=receiver.url)
    until(exchange, "STOPPED")
    until_over(daemon, *reason)
    assert "bot_given_back" in daemon.log
    eventually(
        lambda: any("stopped in BotService" in str(letter) for letter in receiver.got), "an alert"
    )
    assert any(reason[-1] in str(letter) for letter in receiver.got)
    starts_again(daemon, exchange, sessions=1)


def test_held_bot_gives_its_row_back_once_it_is_flat_and_can_be_started(
    daemon: Daemon, exchange: Exchange, between: Front
) -> None:
    exchange.list_bots(booting())
    daemon.start()
    until(exchange, "RUNNING")
    daemon.until_holding()
    assert daemon.command("stop", "b1").returncode == 0
    until(exchange, "STOPPED")
    assert len(exchange.executed(side="sell")) == 1
    until_over(daemon, "HELD")
    starts_again(daemon, exchange, sessions=2)


def test_bot_that_fails_later_gives_its_row_back_once_it_is_flat(
    daemon: Daemon, exchange: Exchange, between: Front
) -> None:
    exchange.list_bots(booting())
    daemon.start(EXECSVC_MAX_RESTARTS="0")
    until(exchange, "RUNNING")
    pid = daemon.until_holding()["pid"]
    os.kill(pid, signal.SIGKILL)
    until(exchange, "STOPPED")
    assert len(exchange.executed(side="sell")) == 1
    until_over(daemon, "FAILED")
    starts_again(daemon, exchange, sessions=2)


def test_booting_bot_in_a_halt_gives_its_row_back_after_a_while(
    daemon: Daemon, exchange: Exchange, between: Front
) -> None:
    exchange.list_bots()
    daemon.start()
    assert daemon.command("halt").returncode == 0
    exchange.list_bots(booting())
    eventually(daemon.bot, "it is listed")
    assert exchange.bot_status() == "BOOTING"
    until(exchange, "STOPPED")
    eventually(lambda: "halted" in (daemon.bot()["last_error"] or ""), "it says why")
    assert daemon.command("resume").returncode == 0
    starts_again(daemon, exchange, sessions=1)


def test_failed_bot_with_the_lifecycle_switched_off_is_not_given_back(
    daemon: Daemon, exchange: Exchange, between: Front
) -> None:
    exchange.list_bots(
        bot_row(),
        bot_row("b2") | {"pipeline": {"strategy": {"id": "unheard_of", "params": {}}}},
    )
    exchange.call("POST", "/bots/b1/start")
    switched = {"EXECSVC_BOT_LIFECYCLE": "false", "EXECSVC_REPORT_LEDGER": "true"}
    for _ in range(2):  # the second process knows from the first that BotService keeps sessions
        daemon.start(**switched)
        daemon.until_holding("b1")
        daemon.until("FAILED", "b2")
        eventually(lambda: daemon.status()["reports"]["taken"], "an order was reported")
        listed_again(exchange, 6)
        assert daemon.stop() == 0
    assert [asked.path for asked in between.asked if asked.path.endswith(("/start", "/stop"))] == []
    assert exchange.bot_status("b2") == "RUNNING"


def test_failed_bot_of_a_service_that_starts_and_stops_none_is_left_alone(
    daemon: Daemon, exchange: Exchange, between: Front
) -> None:
    exchange.list_bots(bot_row() | {"pipeline": {"strategy": {"id": "unheard_of", "params": {}}}})
    daemon.start()
    daemon.until("FAILED")
    listed_again(exchange, 6)
    assert between.posts() == {}
    assert daemon.bot()["state"] == "FAILED"
    assert daemon.stop() == 0
