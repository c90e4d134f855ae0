"""A row that was given back is STOPPED until its user starts it again, whatever listings show."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.bot_process import bot_row
from support.bot_service_front import Asked, Fate, Front, front
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import Exchange

from execsvc.sandbox.server import Sandbox

AUTO = {"EXECSVC_BOT_LIFECYCLE": "auto", "EXECSVC_REPORT_LEDGER": "auto"}
FAILS = Fate(False, 500)


@pytest.fixture
def between(daemon: Daemon, sandbox: Sandbox) -> Iterator[Front]:
    """The server that the daemon takes for BotService; it takes no start until ``rule`` is another one."""
    for made in front(sandbox.url):
        daemon.environ |= {**AUTO, "EXECSVC_BOT_SERVICE_URL": made.url}
        made.rule = lambda asked: FAILS if asked.path.endswith("/start") else None
        yield made


def held_while_booting(daemon: Daemon, exchange: Exchange) -> None:
    """The bot b1 is flat and HELD, and its row is still BOOTING."""
    exchange.list_bots({**bot_row(), "status": "BOOTING"})
    daemon.start(EXECSVC_POLL_INTERVAL="3600")
    daemon.until_holding()
    assert daemon.command("stop", "b1").returncode == 0
    daemon.until("HELD")
    assert exchange.bot_status() == "BOOTING"


def listings(between: Front) -> int:
    return sum((asked.path, asked.status) == ("/bots", "RUNNING") for asked in between.asked)


def given_back(daemon: Daemon, exchange: Exchange) -> None:
    assert daemon.post("/poll").status_code == 202
    eventually(lambda: exchange.bot_status() == "STOPPED", "the row is given back")


def test_given_back_bot_whose_query_fails_then_is_not_started_by_a_release(
    daemon: Daemon, exchange: Exchange, between: Front
) -> None:
    held_while_booting(daemon, exchange)

    def failing(asked: Asked) -> Fate | None:
        stopped = any(one.path == "/bots/b1/stop" for one in between.asked)
        queried = (asked.path, asked.status) == ("/bots", "BOOTING")
        return FAILS if asked.path.endswith("/start") or (queried and stopped) else None

    between.rule = failing
    given_back(daemon, exchange)
    for _ in range(3):
        seen = listings(between)
        daemon.post("/poll")
        eventually(lambda seen=seen: listings(between) > seen, "a listing")
    daemon.command("release", "b1")
    daemon.until("STOPPED")
    assert len(exchange.executed(side="buy")) == 1
    assert daemon.log.count("process_started") == 1
    assert daemon.stop() == 0


def test_start_that_comes_before_a_listing_without_the_row_is_a_new_try(
    daemon: Daemon, exchange: Exchange, between: Front
) -> None:
    held_while_booting(daemon, exchange)
    given_back(daemon, exchange)
    between.rule = lambda asked: None
    exchange.change_bot("b1", status="BOOTING")
    assert daemon.post("/poll").status_code == 202
    eventually(lambda: exchange.bot_status() == "RUNNING", "the row is RUNNING")
    daemon.until("RUNNING")
    assert between.posts()["POST /bots/b1/stop"] == 1
    assert daemon.stop() == 0
