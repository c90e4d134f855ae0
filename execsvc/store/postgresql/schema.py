"""The tables and functions in PostgreSQL: made once by an operator, looked at by every host."""

from __future__ import annotations

from importlib import resources

from execsvc.errors import ConfigRefused
from execsvc.store.postgresql.connection import DatabaseConnection, StatementRefused

VERSION = 1
"""The version of the tables, in ``cluster.schema_version``."""
_SCRIPTS = ("functions.sql", "leases.sql")
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('execsvc schema'));"
"""One installation at a time; held for one transaction."""


def version(connection: DatabaseConnection) -> int | None:
    """The version of the tables in the database; None when there are none. Raises LedgerFailed."""
    if connection.call("SELECT to_regclass('execsvc.cluster')").rows == [(None,)]:
        return None
    rows = connection.call("SELECT schema_version FROM execsvc.cluster").rows
    return int(rows[0][0] or 0) if rows else None


def install(connection: DatabaseConnection) -> bool:
    """Make tables and functions, all or nothing. False when the tables were there already.

    Functions are always made anew. Raises ConfigRefused for tables of another version, LedgerFailed.
    """
    found = version(connection)
    if found not in (None, VERSION):
        raise ConfigRefused(f"the tables in the database have version {found}, not {VERSION}")
    scripts = ("schema.sql", *_SCRIPTS) if found is None else _SCRIPTS
    texts = [resources.files(__package__).joinpath(name).read_text() for name in scripts]
    begin = "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0;"
    try:
        connection.run_script("\n".join([begin, _LOCK, *texts, "COMMIT;"]))
    except StatementRefused:
        connection.run_script("ROLLBACK")
        raise
    return found is None
