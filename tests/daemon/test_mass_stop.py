"""Most of the bots gone at once: perhaps a database that was wiped."""

from __future__ import annotations

import signal

from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import Exchange
from support.verdicts import all_hold, assert_over, listed_again, pids, rows, states

SLOW = {"EXECSVC_POLL_INTERVAL": "600"}
"""Nothing is listed but what a test asks for."""


def pending_after(daemon: Daemon, polls: int) -> dict[str, int]:
    """The mass stop in ``/status`` once so many polls agreed."""

    def look() -> dict[str, int]:
        found = daemon.status()["poll"]["pending_mass_stop"]
        return found if found and found["polls"] == polls else {}

    return eventually(look, f"{polls} polls said so")


def ask(daemon: Daemon) -> None:
    """List now."""
    assert daemon.post("/poll").status_code == 202


def test_an_emptied_list_stops_nobody_before_the_third_poll(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.list_bots(*rows(6))
    daemon.start(**SLOW)
    before = all_hold(daemon, 6)
    exchange.list_bots()
    for polls in (1, 2):
        ask(daemon)
        assert pending_after(daemon, polls)["of"] == 6
        assert pids(daemon) == before
    assert exchange.executed(side="sell") == []
    assert "missing from the listing" in daemon.log
    # One of them is back at the third: the others go, and only they.
    exchange.list_bots(*rows(1))
    ask(daemon)
    eventually(lambda: list(states(daemon).values()).count("STOPPED") == 5, "five are stopped")
    assert daemon.bot("b0")["pid"] == before["b0"]
    assert daemon.status()["poll"]["pending_mass_stop"] is None
    assert daemon.stop() == 0
    assert_over(daemon, exchange, crumbs=6)


def test_a_list_that_is_back_in_time_stops_nobody(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(*rows(6))
    daemon.start(**SLOW)
    before = all_hold(daemon, 6)
    exchange.list_bots()
    ask(daemon)
    pending_after(daemon, 1)
    exchange.fault("status", call="bots", status=500, times=None)
    ask(daemon)
    eventually(lambda: daemon.status()["poll"]["consecutive_failures"], "a listing failed")
    exchange.heal()
    assert pending_after(daemon, 1), "a failed listing neither counts nor clears"
    exchange.list_bots(*rows(6))
    ask(daemon)
    eventually(lambda: not daemon.status()["poll"]["pending_mass_stop"], "nothing is pending")
    exchange.list_bots()
    ask(daemon)
    pending_after(daemon, 1)
    assert pids(daemon) == before
    assert daemon.stop() == 0
    assert_over(daemon, exchange, crumbs=6)


def test_few_bots_are_stopped_at_once(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(*rows(4))
    daemon.start(**SLOW)
    all_hold(daemon, 4)
    exchange.list_bots()
    ask(daemon)
    eventually(lambda: set(states(daemon).values()) == {"STOPPED"}, "all are stopped")
    assert daemon.stop() == 0
    assert_over(daemon, exchange, crumbs=4)


def test_open_positions_count_at_the_first_listing_after_a_start(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.list_bots(*rows(6))
    daemon.start()
    all_hold(daemon, 6)
    daemon.signal(signal.SIGUSR2)
    assert daemon.wait() == 0
    exchange.list_bots()
    daemon.start(**SLOW)
    assert pending_after(daemon, 1)["of"] == 6
    ask(daemon)
    pending_after(daemon, 2)
    assert exchange.executed(side="sell") == []
    ask(daemon)
    eventually(lambda: set(states(daemon).values()) == {"STOPPED"}, "all are closed")
    assert len(exchange.executed(side="sell")) == 6
    assert daemon.stop() == 0
    assert_over(daemon, exchange, crumbs=6)


def test_positions_wait_for_the_first_good_listing(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(*rows(2))
    daemon.start()
    all_hold(daemon, 2)
    daemon.signal(signal.SIGUSR2)
    assert daemon.wait() == 0
    exchange.fault("status", call="bots", status=500, times=None)
    exchange.list_bots(*rows(1))
    daemon.start()
    listed_again(exchange, 4)
    assert set(states(daemon).values()) == {"BACKOFF"}
    assert daemon.bot("b1")["position"]["side"] == "BUY"
    assert exchange.executed(side="sell") == []
    exchange.heal()
    daemon.until_holding("b0")
    daemon.until("STOPPED", "b1")
    assert len(exchange.executed(side="buy")) == 2
    assert len(exchange.executed(side="sell")) == 1
    assert daemon.stop() == 0
    assert_over(daemon, exchange, crumbs=2)
