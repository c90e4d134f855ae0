"""Two hosts on one PostgreSQL: each account is with one of them, and goes on with the other one."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
import requests
from support.bot_process import bot_row
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import Exchange
from support.postgresql import PostgresServer

from execsvc.sandbox.server import Sandbox

pytestmark = pytest.mark.slow


class Hosts:
    """Two daemons with one store, one BotService and one exchange."""

    def __init__(self, sandbox: Sandbox, folder: Path, store_url: str) -> None:
        self.all = {}
        for name in ("a", "b"):
            place = folder / name
            place.mkdir()
            self.all[name] = Daemon(sandbox.url, place)
            self.all[name].environ |= {"EXECSVC_STORE_URL": store_url, "EXECSVC_HOST_ID": name}

    def start(self) -> None:
        """Start both, side by side."""
        for one in self.all.values():
            one.start(wait=False)
        for one in self.all.values():
            eventually(one._answers, "the daemon answers")

    def runners(self, bot_id: str) -> list[str]:
        """The hosts on which the bot has a process that ticks."""
        return [name for name, one in self.all.items() if one.bot(bot_id).get("state") == "RUNNING"]

    def holding(self, bot_id: str = "b1") -> str:
        """The one host that holds the position of the bot, once it does."""
        return eventually(
            lambda: next((name for name, one in self.all.items() if one._holding(bot_id)), ""),
            f"a host holds the position of {bot_id}",
        )

    def other(self, name: str) -> Daemon:
        """The other host."""
        return self.all["b" if name == "a" else "a"]


@pytest.fixture
def hosts(sandbox: Sandbox, exchange: Exchange, tmp_path: Path, shared_url: str) -> Iterator[Hosts]:
    """Two hosts, not started yet; nothing of them lives on after the test."""
    made = Hosts(sandbox, tmp_path, shared_url)
    try:
        yield made
    finally:
        for one in made.all.values():
            print(one.log[-6000:] if one.log_file.exists() else "")
            one.close()


def until_shown_elsewhere(daemon: Daemon, bot_id: str, why: str) -> None:
    """Wait until the host shows the bot as at rest, for the reason ``why``."""

    def shown() -> bool:
        try:
            bot = daemon.bot(bot_id)
        except requests.RequestException:  # a control plane that stood still is replaced
            return False
        return (bot["state"], bot["pid"], bot["last_error"]) == ("BACKOFF", None, why)

    eventually(shown, f"bot {bot_id} is shown as elsewhere")


def position_is_once(exchange: Exchange, key: str = "k1") -> bool:
    """True when one buy was executed, and what it bought is there."""
    (bought,) = exchange.executed(key)
    return bought["side"] == "buy" and exchange.bots_base(key) > 0


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
