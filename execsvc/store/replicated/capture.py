"""The rows that the transactions of a connection change, noted by triggers of that connection.

A trigger notes the key of the row, in the table ``unsent`` of the file itself, so that rows which do not
wait for the shared records are known to the next process as well. The image of a row is taken before the
commit: many changes of a row make one image.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from functools import cache
from importlib import resources
from typing import NamedTuple

from execsvc.errors import LedgerFailed
from execsvc.store.postgresql.remote import Row, RowImage

_OWN = ("copy_of", "unsent")
_NEW, _OLD = "NEW", "OLD"
_NUL, _NUL_SHOWN = "\0", "\N{SYMBOL FOR NULL}"
"""PostgreSQL keeps no NUL in a text; the symbol is kept instead, on both sides."""


class Table(NamedTuple):
    """One table of a bot's or an account's records."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    """The columns of the declared primary key; ``rowid`` for a table that declares none."""
    has_rowid_column: bool
    """True when the primary key is another name of the rowid."""

    @property
    def of_key(self) -> str:
        """The condition that chooses the row of a key."""
        return " AND ".join(f"{column} IS ?" for column in self.key)


def prepare(connection: sqlite3.Connection, younger: str) -> None:
    """Make the tables of the script ``younger``, and those of a copy, where they are missing."""
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in _statements(younger + _schema()):
            connection.execute(statement)
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def begin(connection: sqlite3.Connection) -> None:
    """Note from now on each row that ``connection`` changes.

    A row that REPLACE removes is noted by the trigger of a deletion, which needs ``recursive_triggers``.
    """
    connection.execute("PRAGMA recursive_triggers=ON")
    connection.execute("PRAGMA temp_store=MEMORY")
    connection.execute("BEGIN")
    try:
        for table in tables(connection):
            _watch(connection, table)
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def tables(connection: sqlite3.Connection) -> list[Table]:
    """The tables of the records, by the schema of the file."""
    found = connection.execute("SELECT name FROM sqlite_master WHERE type='table' ORDER BY name")
    names = [row[0] for row in found.fetchall()]
    return [
        _table(connection, name)
        for name in names
        if name not in _OWN and not name.startswith("sqlite_")
    ]


def note_new_tables(connection: sqlite3.Connection) -> None:
    """Note every row of the tables that were made since :func:`begin`, and their changes from now on."""
    found = connection.execute(
        "SELECT name FROM sqlite_master WHERE type='table' "
        "EXCEPT SELECT tbl_name FROM sqlite_temp_master WHERE type='trigger'"
    ).fetchall()
    for (name,) in map(tuple, found):
        if name not in _OWN and not name.startswith("sqlite_"):
            table = _table(connection, name)
            _note_rows(connection, table)
            _watch(connection, table)


def note_all(connection: sqlite3.Connection) -> None:
    """Note every row of all tables."""
    for table in tables(connection):
        _note_rows(connection, table)


def unsent(connection: sqlite3.Connection, known: dict[str, Table]) -> tuple[RowImage, ...]:
    """The last state of each row that is noted; ``known`` keeps the tables for the next call."""
    images = []
    for name, text in map(tuple, connection.execute("SELECT name, key FROM unsent").fetchall()):
        table = known.get(name) or known.setdefault(name, _table(connection, name))
        key = tuple(json.loads(text))
        sql = f"SELECT rowid, * FROM {name} WHERE {table.of_key}"  # noqa: S608 - names of our schema
        row = connection.execute(sql, key).fetchone()
        images.append(RowImage(name, key, None if row is None else tuple(row)))
    return tuple(images)


def without_nul(
    connection: sqlite3.Connection, images: tuple[RowImage, ...]
) -> tuple[RowImage, ...]:
    """``images`` as the shared records can keep them; the rows of the file become the same."""
    kept = tuple(image._replace(row=image.row and shown(image.row)) for image in images)
    apply(connection, [new for new, old in zip(kept, images, strict=True) if new != old])
    return kept


def shown(row: Row) -> Row:
    """``row`` with a symbol for each NUL in its texts."""
    return tuple(
        value.replace(_NUL, _NUL_SHOWN) if isinstance(value, str) else value for value in row
    )


def forget_unsent(connection: sqlite3.Connection) -> None:
    """Note no row as changed."""
    connection.execute("DELETE FROM unsent")


def apply(connection: sqlite3.Connection, images: Iterable[RowImage]) -> None:
    """Let the rows of ``images`` have their states; deletions come first, as a rowid may be used again."""
    images = list(images)
    by_name = {table.name: table for table in tables(connection)}
    for image in images:
        table = by_name[image.table]
        connection.execute(f"DELETE FROM {table.name} WHERE {table.of_key}", image.key)  # noqa: S608
    for image in images:
        if image.row is not None:
            connection.execute(
                _insert(by_name[image.table]), _values(by_name[image.table], image.row)
            )


def replace_all(connection: sqlite3.Connection, rows: dict[str, list[Row]]) -> None:
    """Let the tables have exactly these rows. Raises LedgerFailed for a table that the file lacks."""
    known = tables(connection)
    lacking = rows.keys() - {table.name for table in known}
    if any(rows[name] for name in lacking):
        raise LedgerFailed(
            f"the shared records have tables unknown here: {', '.join(sorted(lacking))}"
        )
    for table in known:
        connection.execute(f"DELETE FROM {table.name}")  # noqa: S608 - names of our schema
        values = (_values(table, row) for row in rows.get(table.name, ()))
        connection.executemany(_insert(table), values)


def _statements(script: str) -> list[str]:
    """The statements of a script; a semicolon in a comment ends none."""
    found = [""]
    for line in script.splitlines(keepends=True):
        found[-1] += line
        if sqlite3.complete_statement(found[-1]):
            found.append("")
    return found


def _watch(connection: sqlite3.Connection, table: Table) -> None:
    for event, rows in (("INSERT", (_NEW,)), ("DELETE", (_OLD,)), ("UPDATE", (_OLD, _NEW))):
        notes = "".join(_note(table, row) for row in rows)
        connection.execute(
            f"CREATE TEMP TRIGGER unsent_{event}_{table.name} AFTER {event} ON main.{table.name} "
            f"BEGIN {notes} END"
        )


def _note_rows(connection: sqlite3.Connection, table: Table) -> None:
    rows = f"SELECT '{table.name}', {_json(table.key)} FROM {table.name}"  # noqa: S608
    connection.execute(f"INSERT OR IGNORE INTO unsent {rows}")


def _note(table: Table, row: str) -> str:
    """The statement of a trigger that notes the key of ``row``.

    OR IGNORE would not do: the conflict clause of the statement that fires the trigger replaces it.
    """
    key = _json(f"{row}.{column}" for column in table.key)
    known = f"SELECT 1 FROM unsent WHERE name='{table.name}' AND key={key}"  # noqa: S608
    return f"INSERT INTO unsent SELECT '{table.name}', {key} WHERE NOT EXISTS ({known});"


def _json(columns: Iterable[str]) -> str:
    return f"json_array({', '.join(columns)})"


def _table(connection: sqlite3.Connection, name: str) -> Table:
    info = [tuple(row) for row in connection.execute(f"PRAGMA table_info({name})").fetchall()]
    declared = sorted((place, column) for _, column, _, _, _, place in info if place)
    key = tuple(column for _, column in declared)
    kinds = [kind.upper() for _, column, kind, _, _, _ in info if column in key]
    columns = tuple(column for _, column, *_ in info)
    return Table(name, columns, key or ("rowid",), len(key) == 1 and kinds == ["INTEGER"])


def _insert(table: Table) -> str:
    columns = table.columns if table.has_rowid_column else ("rowid", *table.columns)
    places = ",".join("?" * len(columns))
    return f"INSERT INTO {table.name} ({','.join(columns)}) VALUES ({places})"  # noqa: S608


def _values(table: Table, row: Row) -> Row:
    return row[1:] if table.has_rowid_column else row


@cache
def _schema() -> str:
    return resources.files(__package__).joinpath("copy.sql").read_text()
