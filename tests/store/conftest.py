"""The stores that the conformance suite runs against."""

from __future__ import annotations

from pathlib import Path

import pytest

from execsvc.store.opening import store_in_memory
from execsvc.store.sqlite.store import SqliteStore
from execsvc.store.store import BotRecordsStore


@pytest.fixture(params=["sqlite", "in memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BotRecordsStore:
    """A new store of each kind; what it is made of is its own."""
    if request.param == "sqlite":
        return SqliteStore(tmp_path / "state", tmp_path / "run")
    return store_in_memory()
