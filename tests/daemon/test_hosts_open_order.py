"""A whole host dies while one of its orders is open: its successor decides the order, and none is doubled."""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from support.bot_process import bot_row
from support.daemon import Daemon
from support.daemon_hosts import Hosts
from support.deadline import eventually
from support.exchange import Exchange
from support.plugins import Plugins
from support.postgresql import PostgresServer

pytestmark = pytest.mark.slow

STANDS = """
from pathlib import Path
from execsvc.failpoints import Failpoint, watch

def stand(at):
    if at is Failpoint.BEFORE_SEND and not Path(MARK).exists():
        Path(MARK).write_text(str(os.getpid()))
        signal.pause()
"""
"""The first process that has recorded an intent goes no further."""
EXECUTE = "def execute(self, ctx):\n watch(stand)\n self.enter(ctx)"
WINDOW = 24.0
"""Seconds. With the rest longer than a takeover takes, so that the wait is seen."""
NOT_EXECUTED_AFTER = 2.0 + 2.0 + WINDOW
"""Seconds from an intent to the decision that its order was not executed: age, ORDER_TIMEOUT, window."""


class OpenOrders:
    """Two hosts, one of which dies with an order open; the database, and what the exchange knows."""

    def __init__(self, hosts: Hosts, exchange: Exchange, server: PostgresServer, url: str) -> None:
        self.hosts = hosts
        self.exchange = exchange
        self._server = server
        self._database = url.partition("?")[0].rpartition("/")[2]

    def start(self, window: float = WINDOW) -> None:
        """Start both hosts with this SETTLEMENT_WINDOW."""
        for one in self.hosts.all.values():
            one.environ |= {
                "EXECSVC_SETTLEMENT_WINDOW": f"{window:g}",
                "EXECSVC_STOP_TIMEOUT": "900",
                "EXECSVC_GONE_AFTER": "900",
            }
        self.hosts.start()

    def kill_owner(self, when: Callable[[], object]) -> Daemon:
        """Kill each process of the host that has the account, once ``when`` holds. The other host."""
        eventually(when, "the order is where it has to be")
        (owner,) = self.sql("SELECT owner FROM account WHERE key_id = 'k1'")
        self.hosts.all[owner].kill_everything()
        return self.hosts.other(owner)

    def sql(self, text: str) -> list[str]:
        """The lines of an answer of the database."""
        return self._server.sql(self._database, f"SET search_path = execsvc; {text}").splitlines()

    def states(self) -> list[str]:
        """The states of all intents of the account, oldest first."""
        return self.sql("SELECT state FROM account_intent WHERE owner = 'k1' ORDER BY seq")

    def until_taken_over(self) -> None:
        """Wait until another host has the account."""
        eventually(lambda: self.sql("SELECT fence FROM account WHERE fence > 1"), "a takeover")

    def until_decided(self, state: str) -> float:
        """Wait until the first intent is in ``state``; the seconds since its record, by the database."""
        eventually(lambda: self.states()[0] == state, f"the order is {state}")
        found = self.sql(
            "SELECT extract(epoch FROM clock_timestamp() - recorded_at) FROM account_intent"
            " WHERE owner = 'k1' ORDER BY seq LIMIT 1"
        )
        return float(found[0])

    def position_is_in_the_books(self, host: Daemon) -> bool:
        """True when the host tracks what one executed order bought, and no order was sent twice."""
        tracked = Decimal(host.until_holding()["position"]["tracked"])
        (order,) = self.exchange.executed()
        return tracked == self.exchange.bots_base() and not order["resends"]


@pytest.fixture
def orders(
    hosts: Hosts, exchange: Exchange, postgresql: PostgresServer, shared_url: str
) -> OpenOrders:
    """Two hosts that are not started yet."""
    return OpenOrders(hosts, exchange, postgresql, shared_url)


@pytest.fixture
def standing(orders: OpenOrders, tmp_path: Path) -> Path:
    """The file that appears when the first order is recorded and not sent; its process stands there."""
    mark, plugins = tmp_path / "mark", Plugins(tmp_path)
    plugins.add("stands", EXECUTE, before=f"MARK = {str(mark)!r}\n{STANDS}")
    for one in orders.hosts.all.values():
        one.environ |= plugins.environ
    orders.exchange.list_bots(bot_row(strategy="stands"))
    return mark


def test_order_that_was_not_sent_is_decided_after_the_whole_time_and_sent_once(
    orders: OpenOrders, standing: Path
) -> None:
    orders.start()
    survivor = orders.kill_owner(standing.exists)
    assert orders.states() == ["IN_FLIGHT"]
    assert orders.until_decided("NOT_EXECUTED") >= NOT_EXECUTED_AFTER
    assert orders.position_is_in_the_books(survivor)
    assert len(orders.exchange.orders()) == 1


def test_order_of_which_the_database_says_that_it_is_old_is_watched_for_the_whole_time(
    orders: OpenOrders, standing: Path
) -> None:
    orders.start()
    survivor = orders.kill_owner(standing.exists)
    orders.until_taken_over()
    # As if the clock of the database had been set forward by an hour.
    orders.sql("UPDATE account_intent SET recorded_at = recorded_at - interval '1 hour'")
    began = time.monotonic()
    orders.until_decided("NOT_EXECUTED")
    assert time.monotonic() - began >= NOT_EXECUTED_AFTER
    assert orders.position_is_in_the_books(survivor)
    assert len(orders.exchange.orders()) == 1


def test_order_that_was_executed_in_full_is_settled_at_once(orders: OpenOrders) -> None:
    orders.exchange.fault("hang", call="order", execute=True)
    orders.exchange.list_bots(bot_row())
    orders.start(window=600.0)
    survivor = orders.kill_owner(orders.exchange.executed)
    assert orders.states() == ["IN_FLIGHT"]
    assert orders.until_decided("EXECUTED") < 600.0
    assert orders.position_is_in_the_books(survivor)
    assert len(orders.exchange.orders()) == 1


def test_order_that_is_executed_after_the_takeover_is_settled_and_not_sent_again(
    orders: OpenOrders,
) -> None:
    orders.exchange.fault("late", call="order", seconds=20.0)
    orders.exchange.list_bots(bot_row())
    orders.start()
    survivor = orders.kill_owner(lambda: orders.states() == ["IN_FLIGHT"])
    orders.until_taken_over()
    assert orders.exchange.executed() == [], "the exchange has the order, and keeps it back"
    orders.until_decided("EXECUTED")
    assert orders.position_is_in_the_books(survivor)
    assert len(orders.exchange.orders()) == 1
