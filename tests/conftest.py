"""Fixtures for all tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.exchange import Exchange

from execsvc.sandbox.server import Sandbox


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A running sandbox in this process, on a free port, without bots."""
    running = Sandbox()
    running.start()
    yield running
    running.stop()


@pytest.fixture
def exchange(sandbox: Sandbox) -> Exchange:
    """The sandbox's exchange: a user with 10 000 USDT and one BTC of their own, price 50 000."""
    seen = Exchange(sandbox.url)
    seen.fund()
    seen.market(price="50000")
    return seen
