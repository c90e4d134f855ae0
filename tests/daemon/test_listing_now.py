"""Listings before the interval is over: POST /poll and HUP."""

from __future__ import annotations

import signal

import pytest
from support.bot_process import bot_row
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import Exchange

SLOW = {"EXECSVC_POLL_INTERVAL": "600"}


@pytest.mark.parametrize("how", ["post", "hup"])
def test_a_listing_is_asked_for_at_once(daemon: Daemon, exchange: Exchange, how: str) -> None:
    daemon.start(**SLOW)
    eventually(lambda: daemon.status()["poll"]["last_success_at"], "the first listing")
    exchange.list_bots(bot_row())
    if how == "post":
        answer = daemon.post("/poll")
        assert (answer.status_code, answer.json()) == (202, {"accepted": True})
    else:
        daemon.signal(signal.SIGHUP)
    daemon.until_holding()
    assert daemon.stop() == 0


@pytest.mark.usefixtures("listing_only")
def test_many_requests_make_one_listing(daemon: Daemon, exchange: Exchange) -> None:
    daemon.start(**SLOW)
    eventually(lambda: daemon.status()["poll"]["last_success_at"], "the first listing")
    before = exchange.requests_of("bots")
    for _ in range(8):
        daemon.signal(signal.SIGHUP)
        assert daemon.post("/poll").status_code == 202
    exchange.list_bots(bot_row())
    daemon.post("/poll")
    daemon.until("RUNNING")
    # A listing is a page with the bot and one without news; before that the bot may be missing.
    assert exchange.requests_of("bots") - before <= 6
    assert daemon.stop() == 0
