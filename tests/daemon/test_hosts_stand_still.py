"""A host stands still while its bot trades, for longer than its lease, and wakes: nothing is doubled."""

from __future__ import annotations

import os
import signal
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from support.bot_process import bot_row
from support.daemon_hosts import Hosts, until_shown_elsewhere
from support.deadline import eventually
from support.exchange import Exchange
from support.plugins import Plugins
from support.postgresql import PostgresServer

pytestmark = pytest.mark.slow

TRADES = """
def execute(self, ctx):
    if not self.enter(ctx):
        return
    ctx.sell(ctx.position.tracked, "exit")
"""
"""A bot with an order on its way most of the time."""


class Trading:
    """Two hosts with a bot that buys and sells at each tick, and the database."""

    def __init__(self, hosts: Hosts, exchange: Exchange, server: PostgresServer, url: str) -> None:
        self.hosts = hosts
        self.exchange = exchange
        self._server = server
        self._database = url.partition("?")[0].rpartition("/")[2]

    def sql(self, text: str) -> list[str]:
        """The lines of an answer of the database."""
        return self._server.sql(self._database, f"SET search_path = execsvc; {text}").splitlines()

    def owner(self) -> str:
        """The host that has the account."""
        return self.sql("SELECT coalesce(owner, '') FROM account WHERE key_id = 'k1'")[0]

    def until_trading(self, more: int = 4) -> None:
        """Wait until so many more orders are executed."""
        wanted = len(self.exchange.executed()) + more
        eventually(lambda: len(self.exchange.executed()) >= wanted, "the bot trades")

    def assert_books_agree(self) -> None:
        """Each executed order is in the shared records with what it filled, and no other is."""
        found = self.sql("SELECT client_order_id, filled FROM account_intent WHERE filled <> '0'")
        recorded = {line.split("|")[0]: Decimal(line.split("|")[1]) for line in found}
        executed = self.exchange.executed()
        assert recorded == {one["client_order_id"]: Decimal(one["filled"]) for one in executed}
        assert not [one for one in executed if one["resends"]]
        sides = [one["side"] for one in executed]
        assert all(one != two for one, two in pairwise(sides)), sides
        assert self.exchange.bots_base() >= 0


@pytest.fixture
def trading(
    hosts: Hosts, exchange: Exchange, postgresql: PostgresServer, shared_url: str, tmp_path: Path
) -> Trading:
    """Two hosts that are not started yet."""
    plugins = Plugins(tmp_path)
    plugins.add("trades", TRADES)
    for one in hosts.all.values():
        one.environ |= plugins.environ
    exchange.list_bots(bot_row(strategy="trades"))
    return Trading(hosts, exchange, postgresql, shared_url)


@pytest.mark.parametrize("answers_late", [False, True])
def test_host_that_stands_still_while_its_bot_trades_wakes_fenced_and_doubles_nothing(
    trading: Trading, answers_late: bool
) -> None:
    hosts, exchange = trading.hosts, trading.exchange
    hosts.start()
    trading.until_trading()
    first = trading.owner()
    stopped, other = hosts.all[first], hosts.other(first)
    name = "b" if first == "a" else "a"
    if answers_late:
        # The order is executed and its answer on the way while the host stands still.
        exchange.fault("slow", call="order", seconds=1.0, execute=True)
        count = len(exchange.executed())
        eventually(lambda: len(exchange.executed()) > count, "an order without its answer")
    joined = trading.sql(f"SELECT incarnation FROM host WHERE host_id = '{first}'")
    family = stopped.family()
    for process in family:
        process.suspend()
    try:
        eventually(lambda: trading.owner() == name, "the other host has the account")
        trading.until_trading()
    finally:
        for process in family:
            os.kill(process.pid, signal.SIGCONT)
    until_shown_elsewhere(stopped, "b1", f"account k1 is with host {name}")
    life = f"SELECT incarnation FROM host WHERE host_id = '{first}'"
    eventually(lambda: trading.sql(life) != joined, "the host joins again")
    trading.until_trading()
    eventually(lambda: stopped.health()[1]["status"] == "ok", "nothing is wrong on the first host")
    assert trading.owner() == name
    assert hosts.runners("b1") == [name]
    exchange.list_bots()
    other.until("STOPPED")
    eventually(lambda: exchange.bots_base() < Decimal("0.00001"), "the bot is flat")
    trading.assert_books_agree()
