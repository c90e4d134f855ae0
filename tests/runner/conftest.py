"""Fixtures for tests of a bot's process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.bot_process import BotProcesses, processes
from support.guarded import GuardedOrders, guarded

from execsvc.sandbox.server import Sandbox


@pytest.fixture
def bots(sandbox: Sandbox, tmp_path: Path) -> Iterator[BotProcesses]:
    """Bots' processes against the sandbox."""
    yield from processes(sandbox.url, tmp_path)


@pytest.fixture
def order_service(tmp_path: Path) -> Iterator[GuardedOrders]:
    """The guards of a bot, on a clock that the test moves."""
    yield from guarded(tmp_path)
