"""The whole content of a bot's or an account's records, for a comparison to the digit."""

from __future__ import annotations

import sqlite3

OF_THE_COPY = {"copy_of", "unsent"}


def dump(connection: sqlite3.Connection) -> dict[str, list[tuple[object, ...]]]:
    """All rows with their rowids, by table; tables without rows are left out."""
    found = connection.execute("SELECT name FROM sqlite_master WHERE type='table'").fetchall()
    names = {row[0] for row in found if not row[0].startswith("sqlite_")} - OF_THE_COPY
    rows = {
        name: [tuple(row) for row in connection.execute(f"SELECT rowid, * FROM {name} ORDER BY 1")]
        for name in names
    }
    return {name: table for name, table in rows.items() if table}
