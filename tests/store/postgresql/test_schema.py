"""The tables in PostgreSQL: twins of those in SQLite, made once."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from store.postgresql.conftest import Connect

from execsvc import store
from execsvc.errors import ConfigRefused
from execsvc.store.postgresql import schema
from execsvc.store.postgresql.connection import DatabaseConnection

SQLITE = Path(store.__file__).parent / "sqlite"
TYPES = {"TEXT": "text", "INTEGER": "bigint", "REAL": "double precision"}
OF_POSTGRESQL = {"account_intent": [("recorded_at", "timestamp with time zone", True)]}
"""Columns that no SQLite table has."""


def scripts(kind: str) -> list[Path]:
    """The scripts that make the records of a bot or an account: the first version before what is younger."""
    first = SQLITE / kind / {"bot": "bot_ledger.sql", "account": "account_journal.sql"}[kind]
    others = sorted(path for path in (SQLITE / kind).glob("*.sql") if path != first)
    return [first, *others, SQLITE / "moments.sql"]


def sqlite_tables(kind: str) -> Iterator[tuple[str, list[tuple[str, str, bool]], list[str]]]:
    """Each table: its twin's name, its columns as (name, type, is never NULL), its key."""
    with closing(sqlite3.connect(":memory:")) as made:
        for script in scripts(kind):
            made.executescript(script.read_text())
        for (name,) in made.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table'"
        ).fetchall():
            columns = made.execute(f"PRAGMA table_info({name})").fetchall()
            key = [column[1] for column in sorted(columns, key=lambda each: each[5]) if column[5]]
            if name == "sqlite_sequence":
                yield f"{kind}_{name}", [("name", "text", True), ("seq", "bigint", True)], ["name"]
                continue
            typed = [(c[1], TYPES[c[2]], bool(c[3] or c[5])) for c in columns]
            yield f"{kind}_{name}", typed, key or ["row_id"]


def columns_of(connection: DatabaseConnection, table: str) -> list[tuple[str, str, bool]]:
    statement = (
        "SELECT attname, format_type(atttypid, -1), attnotnull FROM pg_attribute"
        " WHERE attrelid = $1::regclass AND attnum > 0 ORDER BY attnum"
    )
    rows = connection.call(statement, (table,)).rows
    return [(str(name), str(kind), never_null == "t") for name, kind, never_null in rows]


def key_of(connection: DatabaseConnection, table: str) -> list[str]:
    statement = (
        "SELECT attname FROM pg_index, unnest(indkey::smallint[]) WITH ORDINALITY AS part (number, place)"
        " JOIN pg_attribute ON attnum = number WHERE attrelid = indrelid AND indrelid = $1::regclass"
        " AND indisprimary ORDER BY place"
    )
    return [str(name) for (name,) in connection.call(statement, (table,)).rows]


@pytest.mark.parametrize("kind", ["bot", "account"])
def test_schema_each_sqlite_table_and_column_has_its_twin(
    kind: str, connection: DatabaseConnection
) -> None:
    own = [("owner", "text", True), ("row_id", "bigint", True)]
    expected = {
        name: ([*own, *columns, *OF_POSTGRESQL.get(name, [])], ["owner", *key])
        for name, columns, key in sqlite_tables(kind)
    }
    statement = "SELECT tablename FROM pg_tables WHERE schemaname = 'execsvc' AND tablename ^@ $1"
    found = [str(name) for (name,) in connection.call(statement, (f"{kind}_",)).rows]

    assert {
        name: (columns_of(connection, name), key_of(connection, name)) for name in found
    } == expected


def test_schema_every_sqlite_script_of_a_bot_or_account_is_compared() -> None:
    compared = {path for kind in ("bot", "account") for path in scripts(kind)}

    assert {path for path in SQLITE.rglob("*.sql") if "service" not in path.parts} == compared


def test_schema_open_intents_are_the_same_as_in_sqlite(connection: DatabaseConnection) -> None:
    (definition,) = connection.call(
        "SELECT pg_get_expr(indpred, indrelid) FROM pg_index"
        " WHERE indexrelid = 'account_intent_open'::regclass"
    ).rows
    here = set(re.findall(r"'(\w+)'", str(definition[0])))
    journal = (SQLITE / "account" / "account_journal.sql").read_text()
    there = re.search(r"INDEX intent_unsettled .* IN \((.*)\)", journal)

    assert there is not None
    assert here == set(re.findall(r"'(\w+)'", there[1]))


def test_install_a_second_time_changes_no_row(connection: DatabaseConnection) -> None:
    connection.call(
        "INSERT INTO evidence (host_id, key_id, client_order_id, content) VALUES ('h', 'k', 'o', '{}')"
    )

    assert schema.install(connection) is False
    assert schema.version(connection) == schema.VERSION
    assert connection.call("SELECT count(*) FROM evidence").rows == [("1",)]


def test_install_tables_of_another_version_is_refused(connection: DatabaseConnection) -> None:
    connection.call("UPDATE cluster SET schema_version = 99")

    with pytest.raises(ConfigRefused, match="version 99, not 1"):
        schema.install(connection)


def test_install_by_two_at_once_both_find_the_tables(connect_again: Connect) -> None:
    one, other = connect_again(), connect_again()
    one.call("DROP SCHEMA execsvc CASCADE")

    assert schema.version(other) is None
    assert schema.install(one) is True
    assert schema.install(other) is False
