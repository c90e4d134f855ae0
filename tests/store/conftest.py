"""The stores that the conformance suite runs against."""

from __future__ import annotations

from pathlib import Path

import pytest
from backends import BACKENDS, RECORDS, Backend

from execsvc.store.store import BotRecordsStore, Store


@pytest.fixture(params=RECORDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BotRecordsStore:
    """A new store of each kind; what it is made of is its own."""
    return RECORDS[request.param](tmp_path)


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    """A new backend of each kind that keeps all records of a service."""
    return BACKENDS[request.param](tmp_path)


@pytest.fixture
def service(backend: Backend) -> Store:
    """The records of a service that never ran."""
    return backend.service()
