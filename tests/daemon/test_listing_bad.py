"""Listings that are none: no bot is stopped, and the last good one stands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from support.bot_process import bot_row
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import Exchange
from support.lasting import Lasting
from support.verdicts import assert_over

from execsvc.sandbox.server import Sandbox

BAD: dict[str, dict[str, Any]] = {
    "time-out": {"kind": "hang", "seconds": 30},
    "reset": {"kind": "reset"},
    "closed": {"kind": "close"},
    "404": {"kind": "status", "status": 404},
    "401": {"kind": "status", "status": 401},
    "503": {"kind": "status", "status": 503},
    "204": {"kind": "body", "status": 204, "body": ""},
    "not JSON": {"kind": "garbage"},
    "object": {"kind": "body", "body": {"bots": []}},
    "cut short": {"kind": "body", "body": json.dumps([bot_row("b1")])[:-20]},
    "shorter than promised": {"kind": "lie"},
    "null": {"kind": "body", "body": "null"},
    "NaN": {"kind": "body", "body": "NaN"},
    "rows with NaN": {"kind": "body", "body": '[{"id": "b1", "status": NaN}]'},
    "empty body": {"kind": "body", "body": ""},
    "redirect": {"kind": "redirect", "detail": "/sandbox/requests"},
    "huge": {"kind": "body", "body": "[" + " " * (9 * 1024 * 1024) + "]"},
    "brackets": {"kind": "body", "body": "[" * 100_000},
    "dripping": {"kind": "drip", "seconds": 0.2},
}


def failing(daemon: Daemon) -> bool:
    """Three listings in a row have failed."""
    return bool(daemon.status()["poll"]["consecutive_failures"] >= 3)


@pytest.fixture(scope="module")
def holding(lasting: Lasting) -> Iterator[Lasting]:
    """A daemon with a bot that holds a position, to the end of all that is tried with it."""
    daemon, exchange = lasting
    exchange.list_bots(bot_row())
    daemon.start(EXECSVC_REQUEST_TIMEOUT="0.5")
    daemon.until_holding()
    yield lasting
    assert len(exchange.orders()) == 1
    assert daemon.stop() == 0
    assert_over(daemon, exchange)


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_listing_stops_nobody(holding: Lasting, kind: str) -> None:
    daemon, exchange = holding
    exchange.heal()
    before = daemon.until_holding()
    exchange.fault(call="bots", times=None, **BAD[kind])
    eventually(lambda: failing(daemon), "listings fail")
    poll = daemon.status()["poll"]
    assert poll["last_error"]
    assert poll["last_success_at"]
    after = daemon.bot()
    assert (after["pid"], after["state"]) == (before["pid"], "RUNNING")
    assert exchange.executed(side="sell") == []
    exchange.heal()
    eventually(lambda: daemon.health()[1]["status"] == "ok", "healthy again")
    assert daemon.bot()["pid"] == before["pid"]


def test_a_refused_connection_stops_nobody(
    daemon: Daemon, exchange: Exchange, sandbox: Sandbox
) -> None:
    exchange.list_bots(bot_row())
    daemon.start()
    before = daemon.until_holding()
    sandbox.stop()
    eventually(lambda: failing(daemon), "listings fail")
    after = daemon.bot()
    assert (after["pid"], after["state"]) == (before["pid"], "RUNNING")
    assert "no good listing" in daemon.health()[1]["reasons"][0]
    sandbox.start()
    eventually(lambda: daemon.health()[1]["status"] == "ok", "healthy again")
    assert daemon.bot()["pid"] == before["pid"]
    assert daemon.stop() == 0
    assert len(exchange.orders()) == 2
    assert_over(daemon, exchange)


def test_a_page_that_fails_makes_the_whole_listing_fail(daemon: Daemon, exchange: Exchange) -> None:
    exchange.call("PUT", "/sandbox/listing", {"cap": 1})
    exchange.list_bots(bot_row("b1"), bot_row("b2"))
    daemon.start()
    daemon.until_holding("b1")
    daemon.until_holding("b2")
    exchange.fault("status", call="bots", status=500, chance=0.5, times=None)
    eventually(lambda: failing(daemon), "listings fail")
    exchange.heal()
    eventually(lambda: daemon.status()["poll"]["consecutive_failures"] == 0, "they are good")
    assert daemon.status()["running_bots"] == 2
    assert exchange.executed(side="sell") == []
    assert daemon.stop() == 0
