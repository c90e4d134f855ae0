"""A supervisor with scripted bots, and BotService from the sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.bot_process import bot_row
from support.exchange import Exchange
from support.scripted_service import Scripted

from execsvc.sandbox.server import Sandbox


@pytest.fixture
def service(sandbox: Sandbox, tmp_path: Path) -> Iterator[Scripted]:
    """A supervisor that is not started yet; nothing of it lives on after the test."""
    made = Scripted(sandbox.url, tmp_path)
    yield made
    made.close()


@pytest.fixture
def bots(sandbox: Sandbox) -> Exchange:
    """BotService, with no bot listed."""
    return Exchange(sandbox.url)


@pytest.fixture
def running(service: Scripted, bots: Exchange) -> Scripted:
    """A supervisor with the bot b1 RUNNING, its position open."""
    service.direct(opens=True)
    bots.list_bots(bot_row("b1"))
    service.start()
    service.until("RUNNING")
    return service
