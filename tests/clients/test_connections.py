"""The address of a connection."""

from __future__ import annotations

import pytest

from execsvc.clients.call_timer import CallTimer, no_heartbeat
from execsvc.clients.session import Session


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("http://[::1]", "::1", 80),
        ("https://[fd00::2]/prefix", "fd00::2", 443),
        ("http://[::1]:8001", "::1", 8001),
        ("http://adapter.example", "adapter.example", 80),
        ("https://adapter.example:8443", "adapter.example", 8443),
    ],
)
def test_an_address_is_taken_to_the_letter(url: str, host: str, port: int) -> None:
    session = Session(url, {}, CallTimer(no_heartbeat))
    connection = session._connections()._connection
    assert (connection.host, connection.port) == (host, port)
