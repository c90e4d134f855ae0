"""The examination of a PostgreSQL: what is refused, and what the finding says to do."""

from __future__ import annotations

from typing import cast

import pytest
from store.postgresql.conftest import Connect
from support.postgresql import PostgresServer
from support.requirements import needs

from execsvc.store.postgresql import check
from execsvc.store.postgresql.address import address
from execsvc.store.postgresql.check import CheckLevel, CheckResult, examine
from execsvc.store.postgresql.connection import Answer, DatabaseConnection, connect


class PooledConnection:
    """A client of a pooler that gives the same session to all of its clients, as it sees fit."""

    def __init__(self, session: DatabaseConnection, backend_pid: int) -> None:
        self._session = session
        self.backend_pid = backend_pid
        self.server_version = session.server_version

    def call(self, statement: str, values: tuple[str, ...] = ()) -> Answer:
        """The answer of the shared session."""
        return self._session.call(statement, values)


def by_subject(results: list[CheckResult]) -> dict[str, CheckResult]:
    return {result.subject: result for result in results}


def test_check_of_a_server_with_tables_refuses_nothing(connect_again: Connect) -> None:
    results = list(examine(connect_again(), connect_again()))

    levels = {result.subject: result.level for result in results}
    assert levels == {
        **dict.fromkeys(
            ("version", "pooling", "fsync", "full_page_writes", "commit"), CheckLevel.OK
        ),
        "standbys": CheckLevel.WARNING,
        "encoding": CheckLevel.OK,
        "tables": CheckLevel.OK,
    }
    assert all(result.remedy for result in results if result.level is not CheckLevel.OK)


def test_check_pooler_that_shares_a_session_is_refused(connection: DatabaseConnection) -> None:
    clients = [cast(DatabaseConnection, PooledConnection(connection, pid)) for pid in (1, 2)]

    found = by_subject(list(examine(clients[0], clients[1])))["pooling"]

    assert found.level is CheckLevel.REFUSED
    assert "transaction" in found.text
    assert "session mode" in found.remedy


def test_check_pooler_in_session_mode_is_a_warning(connect_again: Connect) -> None:
    clients = [cast(DatabaseConnection, PooledConnection(connect_again(), pid)) for pid in (1, 2)]

    assert by_subject(list(examine(clients[0], clients[1])))["pooling"].level is CheckLevel.WARNING


def test_check_tables_missing_or_of_another_version_are_refused(connect_again: Connect) -> None:
    one, other = connect_again(), connect_again()
    for version, remedy in ((99, "install the execsvc"), (0, "execsvc store init")):
        one.call("UPDATE cluster SET schema_version = $1::integer", (str(version),))
        tables = by_subject(list(examine(one, other)))["tables"]
        assert tables.level is CheckLevel.REFUSED
        assert tables.remedy.startswith(remedy)
    one.call("DROP SCHEMA execsvc CASCADE")

    tables = by_subject(list(examine(one, other)))["tables"]

    assert (tables.level, tables.remedy) == (CheckLevel.REFUSED, "execsvc store init")


def test_check_role_without_rights_on_the_tables_is_refused(
    shared_url: str, connection: DatabaseConnection
) -> None:
    connection.call("DROP ROLE IF EXISTS stranger")
    connection.call("CREATE ROLE stranger LOGIN")
    place = address(shared_url.replace("//postgres@", "//stranger@"))
    one, other = connect(place, "one"), connect(place, "other")

    tables = by_subject(list(examine(one, other)))["tables"]

    assert tables.level is CheckLevel.REFUSED
    assert "permission denied" in tables.text
    for each in (one, other):
        each.close()


def test_check_commit_that_waits_for_no_disk_is_refused(connect_again: Connect) -> None:
    one = connect_again()
    one.call("SELECT set_config('synchronous_commit', 'off', false)")

    found = by_subject(list(examine(one, connect_again())))["commit"]

    assert found.level is CheckLevel.REFUSED
    assert "before it is on any disk" in found.text


@needs("PostgreSQL")
@pytest.mark.slow
def test_check_server_that_can_lose_commits_is_refused_for_each_reason() -> None:
    unsafe = ("fsync=off", "full_page_writes=off", "synchronous_commit=remote_write")
    server = PostgresServer(*unsafe, "synchronous_standby_names=ANY 1 (a, b)")
    try:
        server.start()
        place = address(server.url())
        one, other = connect(place, "one"), connect(place, "other")
        found = by_subject(list(examine(one, other)))
        for each in (one, other):
            each.close()
    finally:
        server.stop()

    refused = {subject for subject, result in found.items() if result.level is CheckLevel.REFUSED}
    assert refused == {"fsync", "full_page_writes", "commit", "tables"}
    assert "on the disk of a standby" in found["commit"].text
    assert found["standbys"].level is CheckLevel.WARNING
    assert "ALTER SYSTEM SET fsync = on" in found["fsync"].remedy


@pytest.mark.parametrize(
    ("names", "level"),
    [
        ("a", CheckLevel.OK),
        ("FIRST 2 (a, b)", CheckLevel.OK),
        ("2 (a, b)", CheckLevel.OK),
        ("ANY 1 (a, b)", CheckLevel.WARNING),
        ("first 1 (a, b)", CheckLevel.WARNING),
        ("a, b", CheckLevel.WARNING),
        ("*", CheckLevel.WARNING),
    ],
)
def test_check_commit_that_waits_for_some_standbys_says_which_to_promote(
    names: str, level: CheckLevel
) -> None:
    found = check._quorum(names)

    assert found.level is level
    assert ("latest position" in found.remedy) is (level is CheckLevel.WARNING)
