"""Fixtures for tests of the real program."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.daemon import Daemon
from support.exchange import Exchange

from execsvc.sandbox.server import Sandbox


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever is here starts the real program."""
    for item in items:
        if "/daemon/" in str(item.path):
            item.add_marker(pytest.mark.daemon)


@pytest.fixture
def daemon(sandbox: Sandbox, exchange: Exchange, tmp_path: Path) -> Iterator[Daemon]:
    """A daemon against the sandbox, not started yet; nothing of it lives on after the test."""
    made = Daemon(sandbox.url, tmp_path)
    yield made
    made.close()
