"""Two hosts whose PostgreSQL is away, for a moment and for longer.

The server is one of these tests alone: one with the databases of hundreds of other tests writes for longer
than a lease lasts before it ends, or before it answers again.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.bot_process import bot_row
from support.daemon_hosts import Hosts
from support.deadline import eventually
from support.exchange import Exchange
from support.postgresql import PostgresServer, new_template, running_server

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def postgresql() -> Iterator[PostgresServer]:
    """A PostgreSQL of this module's."""
    yield from running_server()


@pytest.fixture(scope="module")
def shared_template(postgresql: PostgresServer) -> str:
    """The name of a database with the tables of a store that hosts share, and no rows."""
    return new_template(postgresql)


def test_short_absence_of_the_store_changes_nothing(
    hosts: Hosts, exchange: Exchange, postgresql: PostgresServer
) -> None:
    exchange.list_bots(bot_row())
    hosts.start()
    daemon = hosts.all[hosts.holding()]
    runner = daemon.bot()["pid"]
    postgresql.halt()
    postgresql.start()
    ticks = daemon.bot()["ticks"]
    eventually(lambda: daemon.bot()["ticks"] > ticks + 20, "the bot goes on")
    assert daemon.bot()["pid"] == runner
    eventually(lambda: daemon.health()[1]["status"] == "ok", "the host is well")
    assert len(exchange.orders()) == 1


@pytest.mark.says("lease_lost")
def test_long_absence_of_the_store_ends_runners_without_selling_until_it_is_back(
    hosts: Hosts, exchange: Exchange, postgresql: PostgresServer
) -> None:
    exchange.list_bots(bot_row())
    hosts.start()
    daemon = hosts.all[hosts.holding()]
    tracked = daemon.bot()["position"]["tracked"]
    postgresql.halt()
    try:
        eventually(
            lambda: (daemon.bot()["last_error"] or "").startswith("WAITING_STORE"), "the bot pauses"
        )
        eventually(lambda: daemon.bot()["pid"] is None, "the runner ends")
        code, health = daemon.health()
        assert (code, health["status"]) == (200, "degraded")
        assert [text for text in health["reasons"] if text.startswith("no order is sent")]
    finally:
        postgresql.start()
    goes_on = hosts.all[hosts.holding()]
    assert goes_on.bot()["position"]["tracked"] == tracked
    assert len(exchange.orders()) == 1
