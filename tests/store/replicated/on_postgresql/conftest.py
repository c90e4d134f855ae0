"""The suites of every store, on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from support.postgres_hosts import PostgresHosts

from execsvc.store.replicated.store import ReplicatedStore


@pytest.fixture
def losing_backend(shared_url: str, tmp_path: Path) -> Iterator[PostgresHosts]:
    """Hosts on one database."""
    with closing(PostgresHosts(tmp_path, shared_url)) as made:
        yield made


@pytest.fixture
def claims_backend(losing_backend: PostgresHosts) -> PostgresHosts:
    """Hosts on one database."""
    return losing_backend


@pytest.fixture
def store(losing_backend: PostgresHosts) -> ReplicatedStore:
    """The first host."""
    return losing_backend.service()
