"""The whole machine goes down with a position open."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal

import pytest
from support.bot_process import bot_row
from support.deadline import eventually
from support.exchange import OWN_BTC
from support.installed import ROWS, InsideExchange, Service, books_at_the_end
from support.machine import Machine
from support.verdicts import CRUMB


@pytest.fixture
def exchange(machine: Machine) -> InsideExchange:
    """A sandbox as a unit of its own: what listens in this process is cut off by a reboot."""
    made = InsideExchange(machine)
    machine.run("systemctl", "restart", "sandbox")
    eventually(lambda: made.answers, "the sandbox answers")
    made.fund()
    made.market(price="50000")
    return made


@pytest.fixture
def enabled(service: Service) -> Iterator[Service]:
    """Started at every boot, and so is the sandbox."""
    names = (service.name, "sandbox")
    service.machine.run("systemctl", "enable", "--quiet", *names)
    yield service
    service.machine.run("systemctl", "disable", "--quiet", *names)
    service.machine.write(ROWS, "[]")


def test_a_reboot_sells_and_comes_back(enabled: Service, exchange: InsideExchange) -> None:
    exchange.list_bots(bot_row())
    enabled.start()
    enabled.until_holding()
    enabled.machine.reboot()
    books = books_at_the_end(enabled.machine)
    assert books["balances"]["BTC"] == {"free": str(OWN_BTC), "locked": "0"}
    assert [order["side"] for order in books["orders"]] == ["buy", "sell"]
    assert "Deactivated successfully" in enabled.journal()
    # No command was called since: the service was started by the boot.
    enabled.until(ActiveState="active")
    exchange.fund()
    exchange.market(price="50000")
    exchange.list_bots(bot_row())
    enabled.until_holding()


def test_after_a_power_failure_the_position_is_resumed(
    enabled: Service, exchange: InsideExchange
) -> None:
    enabled.machine.write(ROWS, json.dumps([bot_row()]))
    enabled.machine.run("systemctl", "restart", "sandbox")
    eventually(lambda: exchange.answers, "the sandbox answers")
    exchange.fund()
    enabled.start()
    held = enabled.until_holding()["position"]
    enabled.machine.reboot("--force", "--force")
    eventually(lambda: exchange.answers, "the sandbox answers")
    enabled.until(ActiveState="active")
    # The sandbox has no memory; the exchange it stands for would.
    exchange.fund(btc=OWN_BTC + Decimal(held["tracked"]))
    assert enabled.until_holding()["position"] == held
    enabled.systemctl("stop")
    assert [order["side"] for order in exchange.orders()] == ["sell"]
    assert exchange.bots_base() < CRUMB
