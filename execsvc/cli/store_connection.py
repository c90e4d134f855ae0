"""Connections of a command to the PostgreSQL that several hosts share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from execsvc.cli.options import refuse_missing_store_extra
from execsvc.errors import ConfigRefused, LedgerUnavailable, Unavailable
from execsvc.settings import Settings

if TYPE_CHECKING:
    from execsvc.store.postgresql.connection import DatabaseConnection

_NAME = "execsvc command"


@contextmanager
def store_connections(settings: Settings, count: int = 1) -> Iterator[list[DatabaseConnection]]:
    """Open ``count`` connections to the store of the settings, for the length of a block.

    Raises ConfigRefused without a URL or without the library, Unavailable when PostgreSQL does not answer.
    """
    if settings.store_url is None:
        raise ConfigRefused("EXECSVC_STORE_URL: is not set")
    refuse_missing_store_extra(settings)
    from execsvc.store.postgresql.address import address
    from execsvc.store.postgresql.connection import connect

    password = settings.store_password
    place = address(
        settings.store_url.get_secret_value(),
        None if password is None else password.get_secret_value(),
    )
    with ExitStack() as stack:
        try:
            connections = [connect(place, _NAME) for _ in range(count)]
        except LedgerUnavailable as error:
            raise Unavailable(str(error)) from error
        for connection in connections:
            stack.callback(connection.close)
        yield connections
