"""A BotService that pages, silently and in no order."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.daemon import LISTING_ONLY, Daemon
from support.deadline import eventually
from support.exchange import Exchange
from support.verdicts import assert_over, listed_again, pids, rows, states


def idle(count: int) -> list[dict[str, Any]]:
    """Bots that never have enough for an order, and tick once in a while."""
    return rows(count, mode="PAPER", interval=30, params={"allocation_ratio": "0.0001"})


@pytest.mark.parametrize(
    ("count", "habits"),
    [
        (150, {"cap": 100}),
        (20, {"cap": 3}),
        (20, {"repeat": 5}),
        (20, {"ignore_paging": True, "repeat": 1}),
    ],
    ids=["150 by 100", "many pages", "repeated ids", "ignores paging"],
)
def test_every_page_is_asked_for(
    daemon: Daemon, exchange: Exchange, count: int, habits: dict[str, Any]
) -> None:
    exchange.call("PUT", "/sandbox/listing", habits)
    exchange.list_bots(*idle(count))
    daemon.start()
    eventually(lambda: daemon.status()["running_bots"] == count, "all of them run", 90)
    before = pids(daemon)
    listed_again(exchange, 6)
    assert pids(daemon) == before
    assert len(set(before.values())) == count
    assert daemon.stop() == 0
    assert_over(daemon, exchange)


def test_rows_in_another_order_at_every_page_stop_nobody_for_long(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.call("PUT", "/sandbox/listing", {"cap": 20, "shuffle": True})
    exchange.list_bots(*idle(30))
    daemon.start()
    eventually(lambda: len(states(daemon)) == 30, "each of them was seen", 60)
    exchange.call("PUT", "/sandbox/listing", {"cap": 20})
    eventually(lambda: daemon.status()["running_bots"] == 30, "all of them run", 60)
    assert daemon.stop() == 0


@pytest.mark.parametrize(
    ("switches", "running"),
    [({}, {"b0": "RUNNING", "b2": "RUNNING"}), (LISTING_ONLY, {"b0": "RUNNING"})],
    ids=["defaults", "listing only"],
)
def test_rows_of_another_status_are_dropped(
    daemon: Daemon, exchange: Exchange, switches: dict[str, str], running: dict[str, str]
) -> None:
    """One that is BOOTING is started, unless nothing but the listing is called."""
    exchange.call("PUT", "/sandbox/listing", {"ignore_status": True})
    listed = idle(4)
    for row, status in zip(listed, ["RUNNING", "STOPPED", "BOOTING", "STOPPING"], strict=True):
        row["status"] = status
    exchange.list_bots(*listed)
    daemon.start(**switches)
    for bot_id in running:
        daemon.until("RUNNING", bot_id)
    listed_again(exchange)
    assert states(daemon) == running
    assert daemon.stop() == 0


@pytest.mark.usefixtures("listing_only")
def test_a_bot_that_one_listing_misses_runs_on(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(*rows(2))
    daemon.start()
    daemon.until_holding("b0")
    before = daemon.until_holding("b1")["pid"]
    page = json.dumps(rows(1))
    exchange.fault("body", call="bots", body=page, times=2)  # both pages of one listing
    listed_again(exchange, 12)
    assert daemon.bot("b1")["pid"] == before
    assert exchange.executed(side="sell") == []
    exchange.list_bots(*rows(1))
    daemon.until("STOPPED", "b1")
    assert len(exchange.executed(side="sell")) == 1
    assert daemon.stop() == 0
    assert_over(daemon, exchange, crumbs=2)
