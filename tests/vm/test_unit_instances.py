"""A second environment on the same machine: its own settings, state, port and bots."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.bot_process import bot_row
from support.installed import InsideExchange, Service
from support.machine import Machine
from support.verdicts import CRUMB


@pytest.fixture
def both(machine: Machine) -> Iterator[tuple[Service, Service]]:
    made = Service(machine, "execsvc@a", 8091), Service(machine, "execsvc@b", 8092)
    for service in made:
        service.forget()
        service.configure()
    yield made
    for service in made:
        service.forget()


def test_two_of_them_do_not_touch_each_other(
    both: tuple[Service, Service], exchange: InsideExchange
) -> None:
    first, second = both
    exchange.fund("k2")
    second.machine.write("/etc/execsvc/credentials/b/http_token", "theirs\n", 0o600)
    exchange.list_bots(bot_row())
    first.start()
    held = first.until_holding()
    exchange.list_bots(bot_row(), bot_row("b2", key="k2"))
    first.until_holding("b2")
    exchange.list_bots(bot_row())
    # The first one's position is not in the way of the second.
    second.start()
    assert second.get("/status").status_code == 401
    assert second.get("/status", Authorization="Bearer theirs").status_code == 200
    assert first.status()["pid"] == first.main_pid != second.main_pid
    for service in both:
        assert service.machine.path(f"{service.state_dir}/supervisor.lock").exists()
    second.systemctl("stop")
    assert second.show("Result") == "success"
    assert first.bot()["pid"] == held["pid"]
    assert first.bot()["position"] == held["position"]
    first.systemctl("stop")
    assert exchange.bots_base() < CRUMB
