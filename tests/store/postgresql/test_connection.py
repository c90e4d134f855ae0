"""Addresses of PostgreSQL, and connections whose errors say whether a statement was executed."""

from __future__ import annotations

import socket
from pathlib import Path
from urllib.parse import quote

import pytest
from store.postgresql.conftest import Connect
from support.broker import RunningBroker
from support.deadline import eventually
from support.postgresql import PostgresServer
from support.requirements import needs
from support.shared_hosts import a_write, joined

from execsvc.errors import ConfigRefused, LedgerUnavailable, WriteUnknown
from execsvc.store.postgresql import schema
from execsvc.store.postgresql.address import address
from execsvc.store.postgresql.client import BrokerClient
from execsvc.store.postgresql.connection import DatabaseConnection, StatementRefused, connect

SECRET = "correct horse"


def test_address_of_a_url_has_a_name_without_its_password() -> None:
    place = address("postgresql://bot:correct%20horse@db.example:5433/ledger?sslmode=verify-full")

    assert place.name == "PostgreSQL db.example/ledger"
    (conninfo,) = place.conninfos("execsvc x")
    assert b"password='correct horse'" in conninfo
    assert b"application_name='execsvc x'" in conninfo
    assert b"sslmode='verify-full'" in conninfo
    assert b"target_session_attrs='read-write'" in conninfo
    assert b"keepalives_idle='5'" in conninfo


def test_address_takes_a_password_only_where_the_url_has_none() -> None:
    with_own = address("postgresql://bot:own@db/ledger", SECRET)
    without = address("postgresql://bot@db/ledger", "quote'back\\slash")

    assert b"password='own'" in next(with_own.conninfos("x"))
    assert rb"password='quote\'back\\slash'" in next(without.conninfos("x"))


def test_address_of_a_service_is_left_to_libpq() -> None:
    place = address("ledger", SECRET)

    assert place.name == "PostgreSQL service ledger"
    assert b"service='ledger'" in next(place.conninfos("x"))


def test_address_of_several_hosts_is_tried_host_by_host() -> None:
    place = address("postgresql://one:5433,two:5434/ledger?sslmode=require&keepalives_idle=9")
    conninfos = list(place.conninfos("x"))

    assert [(b"'one'" in each, b"'5433'" in each) for each in conninfos] == [
        (True, True),
        (False, False),
    ]
    assert [(b"'two'" in each, b"'5434'" in each) for each in conninfos] == [
        (False, False),
        (True, True),
    ]
    assert all(
        b"sslmode='require'" in each and b"keepalives_idle='9'" in each for each in conninfos
    )


@pytest.mark.parametrize(
    "url", ["postgresql://u:correct horse@db/x?nonsense=1", "postgresql://db:x/%zz"]
)
def test_address_that_is_refused_is_not_quoted(url: str) -> None:
    with pytest.raises(ConfigRefused) as refused:
        address(url)

    assert str(refused.value).startswith("the URL of the store is not postgresql://… (")


def test_connect_goes_on_to_the_host_that_answers(
    postgresql: PostgresServer, tmp_path: Path
) -> None:
    place = address(f"postgresql://postgres@/postgres?host={tmp_path},{postgresql.folder}")

    connection = connect(place, "execsvc tests")

    assert connection.call("SELECT 1").rows == [("1",)]
    connection.close()


def test_connect_to_a_host_that_is_silent_has_an_end(tmp_path: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"postgresql://bot:{quote(SECRET)}@127.0.0.1:{silent.getsockname()[1]}/x?sslmode=disable"

        with pytest.raises(LedgerUnavailable, match="no connection in time") as refused:
            connect(address(url), "execsvc tests", timeout=0.2)

    assert SECRET not in str(refused.value)


def test_call_longer_than_its_time_is_unknown_and_closes_the_connection(
    connection: DatabaseConnection,
) -> None:
    with pytest.raises(WriteUnknown, match="no answer in time"):
        connection.call("SELECT pg_sleep(1)", timeout=0.1)
    with pytest.raises(LedgerUnavailable) as refused:
        connection.call("SELECT 1")
    assert not isinstance(refused.value, WriteUnknown)


def test_call_longer_than_the_server_allows_is_certainly_not_executed(
    connection: DatabaseConnection,
) -> None:
    connection.call("SELECT set_config('statement_timeout', '50', false)")

    with pytest.raises(StatementRefused, match="statement timeout") as refused:
        connection.call("SELECT pg_sleep(10)")

    assert refused.value.passes
    assert connection.call("SELECT 1").rows == [("1",)]


def test_call_whose_session_is_ended_is_unknown(connect_again: Connect) -> None:
    victim, killer = connect_again(), connect_again()
    victim.send("SELECT pg_sleep(1)")
    killer.call("SELECT pg_terminate_backend($1::integer)", (str(victim.backend_pid),))

    with pytest.raises(WriteUnknown, match="terminating connection"):
        eventually(victim.poll)


def test_call_whose_wait_for_a_standby_is_cancelled_is_unknown(
    connection: DatabaseConnection,
) -> None:
    """The server says so in a warning, and confirms the commit."""
    with pytest.raises(WriteUnknown, match="wait for a standby was cancelled"):
        connection.call(
            "DO $$ BEGIN RAISE WARNING 'canceling wait for synchronous replication'"
            " USING ERRCODE = 'query_canceled'; END $$"
        )


def is_written(client: BrokerClient, owner: str) -> bool:
    try:
        client.write(a_write(owner=owner))
    except LedgerUnavailable:
        return False
    return True


@needs("PostgreSQL")
@pytest.mark.slow
def test_broker_of_a_server_that_was_stopped_at_once_goes_on_when_it_is_back() -> None:
    server = PostgresServer()
    try:
        server.start()
        first = connect(address(server.url()), "execsvc tests")
        schema.install(first)
        host = joined(first)
        broker = RunningBroker(server.url(), "one", host.leases.incarnation)
        client = broker.client()
        client.write(a_write(owner="before"))

        server.halt("immediate")
        with pytest.raises(LedgerUnavailable) as refused:
            client.write(a_write(owner="meanwhile"))
        assert not isinstance(refused.value, WriteUnknown)
        server.start()
        first = connect(address(server.url()), "execsvc tests")
        first.call("UPDATE host SET expires_at = 'infinity'")
        eventually(lambda: is_written(client, "after"))

        assert client.read("bot", "before") != {}
        assert client.read("bot", "meanwhile") == {}
        assert client.read("bot", "after") != {}
        first.close()
        broker.stop()
    finally:
        server.stop()
