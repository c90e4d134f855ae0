"""The stores that the conformance suite runs against."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.store_backends import (
    BACKENDS,
    CLAIMS,
    LOSING,
    Backend,
    ClaimsBackend,
    LosingBackend,
    new_store,
)

from execsvc.store.store import BotRecordsStore, Store


@pytest.fixture(params=CLAIMS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BotRecordsStore:
    """A new store of each kind; what it is made of is its own."""
    return new_store(request.param, tmp_path)


@pytest.fixture(params=CLAIMS)
def claims_backend(request: pytest.FixtureRequest, tmp_path: Path) -> ClaimsBackend:
    """A new backend of each kind that keeps bots, accounts and the claims on these."""
    return CLAIMS[request.param](tmp_path)


@pytest.fixture(params=LOSING)
def losing_backend(request: pytest.FixtureRequest, tmp_path: Path) -> LosingBackend:
    """A new backend of each kind where an account can be lost."""
    return LOSING[request.param](tmp_path)


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    """A new backend of each kind that keeps all records of a service."""
    return BACKENDS[request.param](tmp_path)


@pytest.fixture
def service(backend: Backend) -> Store:
    """The records of a service that never ran."""
    return backend.service()
