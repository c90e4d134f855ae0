"""The suites of every store, on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from support.postgres_hosts import PostgresHosts
from support.postgresql import PostgresServer

from execsvc.store.replicated.store import ReplicatedStore


@pytest.fixture
def losing_backend(
    shared_url: str, postgresql: PostgresServer, shared_template: str, tmp_path: Path
) -> Iterator[PostgresHosts]:
    """Hosts on one database, beside another one."""
    apart = postgresql.url(postgresql.new_database(shared_template))
    with closing(PostgresHosts(tmp_path, shared_url, apart)) as made:
        yield made


@pytest.fixture
def backend(losing_backend: PostgresHosts) -> PostgresHosts:
    """Hosts on one database."""
    return losing_backend


@pytest.fixture
def service(losing_backend: PostgresHosts) -> ReplicatedStore:
    """The first host."""
    return losing_backend.service()


@pytest.fixture
def claims_backend(losing_backend: PostgresHosts) -> PostgresHosts:
    """Hosts on one database."""
    return losing_backend


@pytest.fixture
def store(losing_backend: PostgresHosts) -> ReplicatedStore:
    """The first host."""
    return losing_backend.service()
