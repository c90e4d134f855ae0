"""Fixtures for tests of the sandbox."""

from __future__ import annotations

import pytest
from support.sandbox_calls import pin

from execsvc.sandbox.server import Sandbox


@pytest.fixture
def faulty_sandbox(sandbox: Sandbox) -> Sandbox:
    """A sandbox at a price of 50 000."""
    pin(sandbox, price=50000)
    return sandbox
