"""The way of an old state directory into PostgreSQL: one transaction, so that no host sees half of it.

An order whose outcome is open is taken as it is: the host that has the account next settles the order by
the baseline in its record, as after a crash. The time from which that host counts is the one of the import.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from execsvc.clock import iso, now
from execsvc.errors import ConfigRefused, LedgerFailed, LedgerUnavailable, Unavailable
from execsvc.store.postgresql import schema
from execsvc.store.postgresql.connection import DatabaseConnection, StatementRefused
from execsvc.store.postgresql.remote import RowImage
from execsvc.store.replicated.copies import accounts_of
from execsvc.store.replicated.old_state import NO_HOST, OldRecords, OldState, old_state
from execsvc.store.replicated.service_records import halt_content, held_bots, held_content, is_halt
from execsvc.store.sqlite import taken_over

_MOST_ROWS = 2000
_SECONDS = 300.0
"""Longest wait for one statement."""
_BEGIN = """
BEGIN;
SET LOCAL statement_timeout = 0;
SET LOCAL lock_timeout = '10s';
SET LOCAL idle_in_transaction_session_timeout = '60s';
"""
_APPLY = """
SELECT apply(array_agg($2::text), array_agg($1::text || '_' || (r->>0)), array_agg(r->1), array_agg(r->2))
FROM jsonb_array_elements($3::jsonb) r
"""
_OPEN = ("IN_FLIGHT", "UNKNOWN", "ARRIVING")


class ImportResult(NamedTuple):
    """The result of an import."""

    bots: list[str]
    accounts: list[str]
    known: list[str]
    """Bots and accounts whose equal records were there already."""
    orders: int
    open_orders: list[str]
    """Accounts with an order whose outcome is open."""
    held: list[str]
    is_halted: bool
    deliveries: int
    marks: list[str]
    """Bots whose mark that lets them enter again stays behind."""


def import_state(
    connection: DatabaseConnection, state_dir: Path, runtime_dir: Path
) -> ImportResult | None:
    """Take the records below ``state_dir``; None when that was done before.

    Raises ConfigRefused, LedgerFailed, and Unavailable when PostgreSQL does not answer: the command may be
    given again. The directory is marked from the moment at which the records may be in PostgreSQL.
    """
    with old_state(state_dir, runtime_dir) as state:
        _refuse_schema(connection)
        was_marked = taken_over.read(state_dir) is not None
        mark = taken_over.begin(state_dir)
        try:
            taken = _Import(connection, state, mark.import_id).run()
            if taken is not None and mark.is_done:
                raise ConfigRefused(f"{state_dir} was taken over into another PostgreSQL")
        except BaseException:
            connection.close()  # which ends the transaction
            if not was_marked:
                taken_over.unmark(state_dir)
            raise
        try:
            connection.call("COMMIT", timeout=_SECONDS)
        except LedgerUnavailable as error:
            raise Unavailable(
                f"the records may be taken or not, give the command again: {error}"
            ) from error
        taken_over.finish(state_dir, mark.import_id)
        return taken


def _refuse_schema(connection: DatabaseConnection) -> None:
    found = schema.version(connection)
    if found is None:
        raise ConfigRefused("the store has no tables: execsvc store init")
    if found != schema.VERSION:
        raise ConfigRefused(f"the tables have version {found}, not {schema.VERSION}")
    sql = "SELECT FROM execsvc.cluster WHERE acknowledged = execsvc.timeline()"
    if not connection.call(sql).rows:
        raise ConfigRefused(
            "PostgreSQL was replaced by a standby: start a host first, and try again"
        )


class _Import:
    """One transaction, up to its commit."""

    def __init__(self, connection: DatabaseConnection, state: OldState, import_id: str) -> None:
        self._connection = connection
        self._state = state
        self._record = f"import {import_id}"
        self._orders: dict[str, set[str]] = {}
        """The ids of all orders, by bot that is taken."""
        self._reserved: set[str] = set()
        self._taken = ImportResult([], [], [], 0, [], [], False, 0, [])

    def run(self) -> ImportResult | None:
        """Write everything. Raises what :func:`import_state` raises."""
        try:
            self._connection.run_script(_BEGIN)
            self._call("SELECT pg_advisory_xact_lock(hashtext('execsvc import'))")
            if self._call("SELECT FROM service_record WHERE name = $1", self._record):
                return None
            by_bot: dict[str, set[str]] = {}
            for account in self._state.accounts():
                self._take_account(account, by_bot)
            for bot in self._state.bots():
                self._take_bot(bot, by_bot.get(bot.owner, set()))
            held, halted, count = self._take_held(), self._take_halt(), self._take_deliveries()
            document = {"at": iso(now()), "from": str(self._state.state_dir)}
            self._put(self._record, json.dumps(document).encode())
        except LedgerUnavailable as error:
            raise Unavailable(str(error)) from error
        except StatementRefused as error:
            kind = Unavailable if error.passes else LedgerFailed
            raise kind(f"nothing was taken: PostgreSQL: {error}") from error
        return self._taken._replace(held=held, is_halted=halted, deliveries=count)

    def _take_account(self, account: OldRecords, by_bot: dict[str, set[str]]) -> None:
        intents = account.tables().get("intent", [])
        for row in intents:
            by_bot.setdefault(str(row[3]), set()).add(str(row[2]))
        if self._is_there(account):
            return
        self._reserve(account.owner)
        self._write(account)
        self._taken.accounts.append(account.owner)
        if any(row[14] in _OPEN for row in intents):
            self._taken.open_orders.append(account.owner)

    def _take_bot(self, bot: OldRecords, orders: set[str]) -> None:
        tables = bot.tables()
        if self._is_there(bot):
            return
        for key_id in sorted(accounts_of(tables)):
            self._reserve(key_id)
        self._write(bot)
        self._taken.bots.append(bot.owner)
        booked = {str(row[1]) for row in tables.get("orders", [])}
        reported = {str(row[2]) for row in tables.get("outbox", [])}
        self._orders[bot.owner] = orders | booked | reported
        self._taken = self._taken._replace(orders=self._taken.orders + len(booked))
        if self._state.may_reenter(bot.owner):
            self._taken.marks.append(bot.owner)

    def _is_there(self, records: OldRecords) -> bool:
        """True for records that are there and equal. Raises ConfigRefused for others of the same owner."""
        sql = "SELECT name, content FROM read_rows($1, $2)"
        found = self._call(sql, records.kind, records.owner)
        if not found:
            return False
        theirs = {name: json.loads(content or "[]") for name, content in found}
        if theirs != {name: [*map(list, rows)] for name, rows in records.tables().items()}:
            raise ConfigRefused(
                f"PostgreSQL has other records of {records.kind} {records.owner}: nothing was taken"
            )
        self._taken.known.append(f"{records.kind} {records.owner}")
        return True

    def _reserve(self, key_id: str) -> None:
        """Keep hosts from claiming the account until the commit. Raises ConfigRefused when one has."""
        if key_id in self._reserved:
            return
        self._call("INSERT INTO account VALUES ($1, NULL, NULL, 1) ON CONFLICT DO NOTHING", key_id)
        self._call("SELECT FROM account WHERE key_id = $1 FOR UPDATE", key_id)
        owners = self._call(
            "SELECT owner FROM account a JOIN host h ON h.host_id = a.owner AND h.epoch = a.owner_epoch"
            " WHERE a.key_id = $1",
            key_id,
        )
        if owners:
            raise ConfigRefused(
                f"host {owners[0][0]} has claimed account {key_id}: stop the service there first;"
                " nothing was taken"
            )
        sql = "UPDATE account SET owner = NULL, owner_epoch = NULL, fence = fence + 1 WHERE key_id = $1"
        self._call(sql, key_id)
        self._reserved.add(key_id)

    def _write(self, records: OldRecords) -> None:
        try:
            for part in _parts(records.images):
                self._call(_APPLY, records.kind, records.owner, json.dumps(part, allow_nan=False))
        except (StatementRefused, ValueError) as error:
            if isinstance(error, StatementRefused) and error.passes:
                raise
            raise LedgerFailed(
                f"the records of {records.kind} {records.owner} cannot be taken: {error}"
            ) from error

    def _take_held(self) -> list[str]:
        """Hold the bots that PostgreSQL has no decision about. Returns their ids."""
        ours = self._state.held()
        theirs = held_bots(self._get("held"))
        new = sorted(ours.keys() - theirs.keys())
        if new:
            self._put("held", held_content({**ours, **theirs}))
        return new

    def _take_halt(self) -> bool:
        ours = self._state.halted()
        if ours is None or is_halt(self._get("halt")):
            return False
        self._put("halt", halt_content(ours, NO_HOST))
        return True

    def _take_deliveries(self) -> int:
        records = self._state.delivered(self._orders)
        for stem, record in records.items():
            self._put(f"deliveries {stem}", record.model_dump_json().encode())
        return len(records)

    def _get(self, name: str) -> bytes | None:
        sql = "SELECT content FROM service_record WHERE name = $1 FOR UPDATE"
        found = self._call(sql, name)
        return bytes.fromhex(str(found[0][0])[2:]) if found else None

    def _put(self, name: str, content: bytes) -> None:
        self._call(
            "INSERT INTO service_record (name, content) VALUES ($1, $2::bytea)"
            " ON CONFLICT (name) DO UPDATE SET content = excluded.content, at = clock_timestamp()",
            name,
            f"\\x{content.hex()}",
        )

    def _call(self, sql: str, *values: str) -> Sequence[tuple[str | None, ...]]:
        return self._connection.call(sql, values, _SECONDS).rows


def _parts(images: Iterable[RowImage]) -> Iterable[list[RowImage]]:
    rest = iter(images)
    while part := list(islice(rest, _MOST_ROWS)):
        yield part
