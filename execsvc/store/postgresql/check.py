"""The examination of a PostgreSQL: whether hosts can share their records in it without losing any."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from execsvc.store.postgresql import schema
from execsvc.store.postgresql.connection import DatabaseConnection, StatementRefused

_OLDEST = 150000
_ROUNDS = 5
_LOST_AT_FAILOVER = {
    "off": "a commit is confirmed before it is on any disk",
    "local": "a commit is confirmed before a standby has it",
    "remote_write": "a commit is confirmed before it is on the disk of a standby",
}
"""Values of synchronous_commit that can lose what was confirmed; all but the first only with standbys."""
_QUORUM = re.compile(r"\s*(?:(?:FIRST|ANY)\s+)?(\d+)\s*\((.*)\)\s*", re.IGNORECASE)


class CheckLevel(str, Enum):
    """The weight of a finding."""

    OK = "ok"
    WARNING = "warning"
    REFUSED = "refused"
    """The store must not be used like this."""


class CheckResult(NamedTuple):
    """One thing that was looked at."""

    level: CheckLevel
    subject: str
    text: str
    remedy: str = ""


def examine(one: DatabaseConnection, other: DatabaseConnection) -> Iterator[CheckResult]:
    """Each finding about the server behind two connections of one address. Raises LedgerFailed."""
    version = one.server_version
    if version < _OLDEST:
        found = f"PostgreSQL {version // 10000} is too old"
        yield CheckResult(CheckLevel.REFUSED, "version", found, "install PostgreSQL 15 or newer")
        return
    yield CheckResult(CheckLevel.OK, "version", f"PostgreSQL {version // 10000}.{version % 10000}")
    yield _pooling(one, other)
    yield from _durability(one)
    yield from _standbys(one)
    yield _encoding(one)
    yield _tables(one)


def _pooling(one: DatabaseConnection, other: DatabaseConnection) -> CheckResult:
    """The finding about poolers: two clients must never share one session of the server."""
    marks = {one: uuid.uuid4().hex, other: uuid.uuid4().hex}
    for connection, mark in marks.items():
        connection.call("SELECT set_config('execsvc.probe', $1, false)", (mark,))
    seen: dict[DatabaseConnection, set[str | None]] = {one: set(), other: set()}
    kept = True
    for _ in range(_ROUNDS):
        for connection, mark in marks.items():
            ((pid, value),) = connection.call(
                "SELECT pg_backend_pid(), current_setting('execsvc.probe', true)"
            ).rows
            seen[connection].add(pid)
            kept = kept and value == mark
    if not kept or seen[one] & seen[other] or max(map(len, seen.values())) > 1:
        return CheckResult(
            CheckLevel.REFUSED,
            "pooling",
            "a pooler shares one session between its clients (transaction or statement pooling)",
            "connect to PostgreSQL itself, or to a pool in session mode",
        )
    if {str(one.backend_pid)} != seen[one]:
        return CheckResult(
            CheckLevel.WARNING,
            "pooling",
            "a pooler in session mode is between this host and PostgreSQL",
            "three connections a host need no pooler: connect to PostgreSQL itself",
        )
    return CheckResult(CheckLevel.OK, "pooling", "each connection has a session of its own")


def _durability(connection: DatabaseConnection) -> Iterator[CheckResult]:
    for name in ("fsync", "full_page_writes"):
        if _setting(connection, name) == "off":
            yield CheckResult(
                CheckLevel.REFUSED,
                name,
                f"{name} is off: a power loss can lose or damage every record",
                f"ALTER SYSTEM SET {name} = on; SELECT pg_reload_conf()",
            )
        else:
            yield CheckResult(CheckLevel.OK, name, "on")


def _standbys(connection: DatabaseConnection) -> Iterator[CheckResult]:
    """The findings about commits that a failover to a standby could lose."""
    commit = _setting(connection, "synchronous_commit")
    names = _setting(connection, "synchronous_standby_names").strip()
    ((replicas,),) = connection.call("SELECT count(*) FROM pg_stat_replication").rows
    standbys = int(replicas or 0)
    remedy = "ALTER ROLE CURRENT_USER SET synchronous_commit = on"
    if commit == "off" or (commit in _LOST_AT_FAILOVER and (names or standbys)):
        reason = f"synchronous_commit is {commit}: {_LOST_AT_FAILOVER[commit]}"
        yield CheckResult(CheckLevel.REFUSED, "commit", reason, remedy)
    else:
        yield CheckResult(CheckLevel.OK, "commit", f"synchronous_commit is {commit}")
    if names:
        yield _quorum(names)
    elif standbys:
        yield CheckResult(
            CheckLevel.REFUSED,
            "standbys",
            f"{standbys} standbys follow, and synchronous_standby_names is empty: a failover to one of"
            " them can lose commits",
            "name the standbys that may be promoted in synchronous_standby_names",
        )
    else:
        text = "none follows: when this server is lost, so is what its last backup does not have"
        yield CheckResult(CheckLevel.WARNING, "standbys", text, "add a synchronous standby")


def _quorum(names: str) -> CheckResult:
    """The finding about a list of synchronous standbys, of which a commit may wait for some only."""
    match = _QUORUM.fullmatch(names)
    waited, listed = (int(match[1]), match[2]) if match else (1, names)
    count = listed.count(",") + 1
    if waited < count or "*" in listed:
        return CheckResult(
            CheckLevel.WARNING,
            "standbys",
            f"a commit waits for {waited} of the standbys {names}",
            "promote none but the one with the latest position (pg_last_wal_receive_lsn)",
        )
    return CheckResult(CheckLevel.OK, "standbys", f"a commit waits for all of {names}")


def _encoding(connection: DatabaseConnection) -> CheckResult:
    encoding = _setting(connection, "server_encoding")
    if encoding != "UTF8":
        remedy = "CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
        return CheckResult(
            CheckLevel.REFUSED, "encoding", f"the database is {encoding}, not UTF8", remedy
        )
    return CheckResult(CheckLevel.OK, "encoding", encoding)


def _tables(connection: DatabaseConnection) -> CheckResult:
    try:
        found = schema.version(connection)
        connection.call("SELECT FROM execsvc.host, execsvc.written LIMIT 1") if found else None
    except StatementRefused as error:
        remedy = "connect as the role that ran execsvc store init"
        return CheckResult(
            CheckLevel.REFUSED, "tables", f"this role may not use the tables: {error}", remedy
        )
    if found is None:
        return CheckResult(CheckLevel.REFUSED, "tables", "there are none", "execsvc store init")
    if found < schema.VERSION:
        text = f"version {found} is older than {schema.VERSION}, which this execsvc needs"
        return CheckResult(CheckLevel.REFUSED, "tables", text, "execsvc store init")
    if found > schema.VERSION:
        text = f"version {found} is newer than {schema.VERSION}, which this execsvc knows"
        return CheckResult(
            CheckLevel.REFUSED, "tables", text, "install the execsvc that made the tables"
        )
    return CheckResult(CheckLevel.OK, "tables", f"version {found}")


def _setting(connection: DatabaseConnection, name: str) -> str:
    ((value,),) = connection.call("SELECT current_setting($1)", (name,)).rows
    return value or ""
