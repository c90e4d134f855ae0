"""Fixtures for tests on a real systemd, in a machine that is booted for them."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from support.installed import PORT, InsideExchange, Service, install
from support.machine import Machine, booted

from execsvc.sandbox.server import Sandbox


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests here: each boots a machine, which may take its time."""
    for item in items:
        if "/vm/" in str(item.path):
            item.add_marker(pytest.mark.vm)
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="session")
def machine() -> Iterator[Machine]:
    """One machine for all tests of this process; those that run beside it have their own."""
    made = booted(f"execsvc-{os.getpid()}")
    try:
        install(made)
        yield made
    finally:
        made.off()


@pytest.fixture
def sandbox(machine: Machine) -> Iterator[Sandbox]:
    """A sandbox in this process, which listens within the machine."""
    machine.run("systemctl", "stop", "sandbox")
    made = Sandbox(PORT)
    with machine.network():
        made.start()
    yield made
    made.stop()


@pytest.fixture
def exchange(machine: Machine, sandbox: Sandbox) -> InsideExchange:
    """The sandbox's exchange, with the user's own coins in the account."""
    made = InsideExchange(machine)
    made.fund()
    made.market(price="50000")
    return made


@pytest.fixture
def service(machine: Machine, exchange: InsideExchange) -> Iterator[Service]:
    """The unit, configured and not started, with nothing left of the test before."""
    made = Service(machine)
    made.forget()
    made.configure()
    yield made
    made.forget()
