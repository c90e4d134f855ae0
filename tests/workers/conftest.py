"""Fixtures for tests of the workers."""

from __future__ import annotations

import pytest
from support.exchange import Exchange

from execsvc.sandbox.server import Sandbox


@pytest.fixture
def bots(sandbox: Sandbox) -> Exchange:
    """BotService, with no bot listed."""
    return Exchange(sandbox.url)
