"""BotService's editor saves BOOTING over RUNNING while the query for BOOTING rows fails."""

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


@pytest.fixture
def between(daemon: Daemon, sandbox: Sandbox) -> Iterator[Front]:
    """The server that the daemon takes for BotService."""
    for made in front(sandbox.url):
        daemon.environ |= {**AUTO, "EXECSVC_BOT_SERVICE_URL": made.url}
        yield made


def listings(between: Front) -> int:
    return sum((asked.path, asked.status) == ("/bots", "RUNNING") for asked in between.asked)


def is_booting_query(asked: Asked) -> bool:
    return (asked.path, asked.status) == ("/bots", "BOOTING")


@pytest.mark.parametrize("row_is_told", [True, False], ids=["its row is told", "nothing is told"])
def test_bot_that_is_saved_as_booting_while_nobody_lists_those_is_not_sold(
    daemon: Daemon, exchange: Exchange, between: Front, row_is_told: bool
) -> None:
    exchange.list_bots({**bot_row(), "status": "BOOTING"}, bot_row("b2"))
    daemon.start()
    eventually(lambda: exchange.bot_status() == "RUNNING", "the row is RUNNING")
    pid = daemon.until_holding()["pid"]
    daemon.until_holding("b2")

    seen = listings(between)
    eventually(lambda: listings(between) >= seen + 2, "it is listed as RUNNING")

    def failing(asked: Asked) -> Fate | None:
        row = asked.method == "GET" and asked.path == "/bots/b1" and not row_is_told
        return Fate(False, 500) if row or is_booting_query(asked) else None

    between.rule = failing
    known = len(between.asked)
    eventually(lambda: any(map(is_booting_query, between.asked[known:])), "the query fails")
    exchange.change_bot("b1", status="BOOTING")
    seen = listings(between)
    eventually(lambda: listings(between) >= seen + 6, "six listings")
    if row_is_told:  # the word on its start is said again, to a row that waits for it
        eventually(lambda: exchange.bot_status() == "RUNNING", "the row is RUNNING")
    exchange.change_bot("b2", status="STOPPED")
    daemon.until("STOPPED", "b2")
    assert (daemon.bot()["state"], daemon.bot()["pid"]) == ("RUNNING", pid)
    assert len(exchange.executed(side="sell")) == 1
    assert daemon.stop() == 0
