"""The rows that a connection notes as changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from execsvc.store.postgresql.remote import RowImage
from execsvc.store.replicated import capture

SCHEMA = """
CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT);
CREATE TABLE pair (a TEXT, b INTEGER, value REAL, PRIMARY KEY (a, b));
CREATE TABLE keyless (value TEXT);
CREATE TABLE numbered (seq INTEGER PRIMARY KEY AUTOINCREMENT, value TEXT UNIQUE);
"""


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as made:
        capture.prepare(made, SCHEMA)
        capture.begin(made)
        yield made


def taken(connection: sqlite3.Connection) -> list[RowImage]:
    """The images since the last call."""
    capture.note_new_tables(connection)
    images = sorted(capture.unsent(connection, {}))
    capture.forget_unsent(connection)
    return images


def test_row_has_one_image_however_often_it_is_changed(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO fact VALUES ('a', '1')")
    connection.execute("UPDATE fact SET value='2'")
    assert taken(connection) == [RowImage("fact", ("a",), (1, "a", "2"))]
    connection.execute("DELETE FROM fact")
    assert taken(connection) == [RowImage("fact", ("a",), None)]


def test_row_that_replace_removes_is_noted(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO numbered (value) VALUES ('x')")
    taken(connection)
    connection.execute("INSERT OR REPLACE INTO numbered (value) VALUES ('x')")
    assert taken(connection) == [
        RowImage("numbered", (1,), None),
        RowImage("numbered", (2,), (2, 2, "x")),
    ]


def test_key_that_changes_is_noted_as_it_was_and_as_it_is(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO pair VALUES ('é\"''', 1, 0.1)")
    taken(connection)
    connection.execute("UPDATE pair SET b=2")
    assert taken(connection) == [
        RowImage("pair", ("é\"'", 1), None),
        RowImage("pair", ("é\"'", 2), (1, "é\"'", 2, 0.1)),
    ]


@pytest.mark.parametrize(
    "upsert",
    [
        "INSERT INTO fact VALUES ('a', '2') ON CONFLICT DO UPDATE SET value=excluded.value",
        "INSERT OR REPLACE INTO fact VALUES ('a', '2')",
        "INSERT OR ABORT INTO fact SELECT 'a', '2' WHERE 0",
        "INSERT INTO fact VALUES ('a', '2') ON CONFLICT DO NOTHING",
    ],
)
def test_conflict_clause_of_the_statement_does_not_disturb_the_note(
    connection: sqlite3.Connection, upsert: str
) -> None:
    connection.execute("INSERT INTO fact VALUES ('a', '1')")
    for _ in range(2):
        connection.execute(upsert)
    row = connection.execute("SELECT rowid, * FROM fact").fetchone()
    assert taken(connection) == [RowImage("fact", ("a",), row)]


def test_table_without_a_key_is_noted_by_rowid(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO keyless VALUES ('x'), ('x')")
    assert [image.key for image in taken(connection)] == [(1,), (2,)]


def test_table_that_is_made_later_is_noted_from_its_first_row(
    connection: sqlite3.Connection,
) -> None:
    connection.execute("BEGIN")
    connection.execute("CREATE TABLE younger (name TEXT PRIMARY KEY)")
    connection.execute("INSERT INTO younger VALUES ('a')")
    assert taken(connection) == [RowImage("younger", ("a",), (1, "a"))]
    connection.execute("ROLLBACK")
    connection.execute("CREATE TABLE younger (name TEXT PRIMARY KEY)")
    connection.execute("INSERT INTO younger VALUES ('b')")
    assert taken(connection) == [RowImage("younger", ("b",), (1, "b"))]
    connection.execute("INSERT INTO younger VALUES ('c')")
    assert taken(connection) == [RowImage("younger", ("c",), (2, "c"))]


def test_rows_are_the_same_where_their_images_are_applied(connection: sqlite3.Connection) -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as other:
        capture.prepare(other, SCHEMA)
        connection.execute("INSERT INTO fact VALUES ('a', '1'), ('b', '2')")
        capture.apply(other, taken(connection))
        connection.execute("DELETE FROM fact WHERE name='b'")
        connection.execute("INSERT OR REPLACE INTO fact VALUES ('a', '3')")
        connection.execute("INSERT INTO numbered (value) VALUES ('x')")
        capture.apply(other, taken(connection))
        for name in ("fact", "numbered"):
            sql = f"SELECT rowid, * FROM {name} ORDER BY rowid"
            assert other.execute(sql).fetchall() == connection.execute(sql).fetchall()


def test_row_of_a_table_without_rowid_is_refused(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE bare (name TEXT PRIMARY KEY) WITHOUT ROWID")
    connection.execute("INSERT INTO bare VALUES ('a')")
    with pytest.raises(sqlite3.OperationalError, match="rowid"):
        taken(connection)
