"""Connections to the PostgreSQL of the tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

import pytest

from execsvc.store.postgresql.address import address
from execsvc.store.postgresql.connection import DatabaseConnection, connect

Connect: TypeAlias = "Callable[[], DatabaseConnection]"


@pytest.fixture
def connect_again(shared_url: str) -> Iterator[Connect]:
    """Open a connection to the test's own database, closed at the test's end."""
    opened: list[DatabaseConnection] = []

    def another() -> DatabaseConnection:
        opened.append(connect(address(shared_url), "execsvc tests"))
        return opened[-1]

    yield another
    for connection in opened:
        connection.close()


@pytest.fixture
def connection(connect_again: Connect) -> DatabaseConnection:
    """A connection to the test's own database."""
    return connect_again()
