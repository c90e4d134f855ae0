"""Two hosts on one PostgreSQL: each account is with one of them, and goes on with the other one."""

from __future__ import annotations

import os
import signal
import time
from decimal import Decimal

import pytest
from support.bot_process import bot_row
from support.daemon import Daemon
from support.daemon_hosts import Hosts, position_is_once, until_shown_elsewhere
from support.deadline import eventually
from support.exchange import Exchange
from support.postgresql import PostgresServer
from support.processes import Process, children

pytestmark = pytest.mark.slow


@pytest.mark.says("host_joined")
def test_two_hosts_run_the_bots_of_each_account_on_one_of_them(
    hosts: Hosts, exchange: Exchange
) -> None:
    keys = [f"k{number}" for number in range(1, 5)]
    for key in keys[1:]:
        exchange.fund(key)
    exchange.list_bots(*(bot_row(f"b{key}", key=key) for key in keys))
    hosts.start()
    for key in keys:
        place = hosts.holding(f"b{key}")
        assert hosts.runners(f"b{key}") == [place]
        until_shown_elsewhere(hosts.other(place), f"b{key}", f"account {key} is with host {place}")
        assert position_is_once(exchange, key)
    assert [one.health()[1]["status"] for one in hosts.all.values()] == ["ok", "ok"]


@pytest.mark.says("host_taken_over")
def test_killed_host_leaves_its_bot_to_the_other_one_with_its_position(
    hosts: Hosts, exchange: Exchange
) -> None:
    exchange.list_bots(bot_row())
    hosts.start()
    dead = hosts.holding()
    survivor = hosts.other(dead)
    tracked = hosts.all[dead].bot()["position"]["tracked"]
    hosts.all[dead].kill_everything()
    began = time.monotonic()
    found = survivor.until_holding()
    print(f"took over in {time.monotonic() - began:.1f} s")
    assert found["position"]["tracked"] == tracked
    assert position_is_once(exchange)


def test_stopped_host_hands_its_bot_over_without_selling(hosts: Hosts, exchange: Exchange) -> None:
    exchange.list_bots(bot_row())
    hosts.start()
    first = hosts.holding()
    hosts.all[first].signal(signal.SIGTERM)
    began = time.monotonic()
    hosts.other(first).until_holding()
    print(f"handed over in {time.monotonic() - began:.1f} s")
    assert hosts.all[first].wait() == 0
    assert position_is_once(exchange)
    assert Decimal(hosts.other(first).bot()["position"]["tracked"]) > 0


def test_host_with_another_order_timeout_refuses_to_start(hosts: Hosts) -> None:
    hosts.all["a"].start()
    differs = hosts.all["b"].start(wait=False, EXECSVC_ORDER_TIMEOUT="3")
    assert differs.wait() == 78
    assert "EXECSVC_STORE_URL: the hosts have ORDER_TIMEOUT 2 s" in differs.log


def test_host_without_the_tables_says_how_they_are_made(
    hosts: Hosts, postgresql: PostgresServer
) -> None:
    url = postgresql.url(postgresql.new_database())
    refused = hosts.all["a"].start(wait=False, EXECSVC_STORE_URL=url)
    assert refused.wait() == 78
    assert "EXECSVC_STORE_URL: the database has no tables: execsvc store init" in refused.log


def test_host_that_stood_still_finds_its_bot_elsewhere_and_sends_nothing(
    hosts: Hosts, exchange: Exchange
) -> None:
    exchange.list_bots(bot_row())
    hosts.start()
    first = hosts.holding()
    stopped, other = hosts.all[first], hosts.other(first)
    family = stopped.family()
    for process in family:
        process.suspend()
    try:
        other.until_holding()
    finally:
        for process in family:
            os.kill(process.pid, signal.SIGCONT)
    name = "b" if first == "a" else "a"
    until_shown_elsewhere(stopped, "b1", f"account k1 is with host {name}")
    assert hosts.runners("b1") == [name]
    assert len(exchange.orders()) == 1
    assert position_is_once(exchange)


def keeper(daemon: Daemon) -> Process | None:
    """The worker that keeps the lease of a host."""
    found = [child for child in children(daemon.pid) if child.title == "execsvc: lease"]
    return found[0] if found else None


def test_crash_of_the_worker_that_keeps_the_lease_ends_no_bot(
    hosts: Hosts, exchange: Exchange
) -> None:
    exchange.list_bots(bot_row())
    hosts.start()
    daemon = hosts.all[hosts.holding()]
    runner = daemon.bot()["pid"]
    for _ in range(2):
        worker = eventually(lambda: keeper(daemon), "there is a worker")
        assert worker.send(signal.SIGKILL)
        eventually(lambda dead=worker: not dead.lives, "the worker is dead")
        ticks = daemon.ticks()
        eventually(lambda: keeper(daemon), "there is another worker")
        eventually(lambda more=ticks + 50: daemon.ticks() > more, "the bot goes on")
    assert daemon.bot()["pid"] == runner
    eventually(lambda: daemon.health()[1]["status"] == "ok", "the host is well")
    assert daemon.log.count("has joined the shared store") == 1
    assert len(exchange.orders()) == 1
