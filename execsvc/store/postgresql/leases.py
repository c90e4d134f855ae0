"""Leases of hosts and claims on accounts, as PostgreSQL decides them: a statement of ``leases.sql`` each.

Every call raises LedgerUnavailable when the database does not answer; WriteUnknown, which is one, when the
call may have been carried out. Each can then be repeated: none does harm at its second time.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple, NoReturn

from execsvc.clock import from_iso
from execsvc.errors import ConfigRefused, LedgerFailed, LedgerUnavailable
from execsvc.store.postgresql import schema
from execsvc.store.postgresql.connection import ANSWER_SECONDS, DatabaseConnection, StatementRefused

_REFUSED_TERMS = frozenset({"EX001", "EX002", "EX003"})


def application_name(incarnation: str) -> str:
    """The name that every connection of a host shows; peers end connections by it."""
    return f"execsvc {incarnation}"


class HostTerms(NamedTuple):
    """The times that all hosts have to agree on, in seconds."""

    order_timeout: float
    settlement_window: float
    ttl: float


class Lease(NamedTuple):
    """The lease of one run of the service on one host."""

    host_id: str
    incarnation: str
    """A uuid4 in hex digits."""
    epoch: int


class HostRow(NamedTuple):
    """A host, as the database has it."""

    host_id: str
    incarnation: str
    epoch: int
    beat: int
    age: float
    """Seconds since its last beat, by the database's clock."""
    expired: bool
    draining: bool


class AccountRow(NamedTuple):
    """The claim on an account, as the database has it."""

    key_id: str
    owner: str | None
    epoch: int | None
    """The epoch of the owner's lease at its claim."""
    fence: int
    open: bool
    """True while an order of the account is open."""


class Sight(NamedTuple):
    """The answer to a beat."""

    accepted: bool
    """False when a peer has ended the lease, or another service has the host's name."""
    now: datetime
    system: str
    """The identifier of this PostgreSQL and its standbys."""
    timeline: int
    """Grows at each promotion of a standby."""
    lsn: int
    """The position in the write-ahead log, in bytes."""
    terms: HostTerms
    hosts: tuple[HostRow, ...]
    accounts: tuple[AccountRow, ...]


class Leases:
    """The calls about leases and claims over one connection."""

    def __init__(self, connection: DatabaseConnection) -> None:
        self._connection = connection

    def enlist(self, host_id: str, incarnation: str, terms: HostTerms, previous: str = "") -> Lease:
        """Begin a lease. ``previous`` is the incarnation that this machine recorded before, if any.

        Raises ConfigRefused when the hosts have other terms, when a living service of another machine has the
        name ``host_id``, or when the tables have another version.
        """
        values = (host_id, incarnation, previous, str(schema.VERSION), *map(repr, terms))
        statement = "SELECT enlist($1, $2, $3, $4::integer, $5::float8, $6::float8, $7::float8)"
        return Lease(host_id, incarnation, int(self._one(statement, *values) or 0))

    def beat(self, lease: Lease, pids: Collection[int], timeout: float = ANSWER_SECONDS) -> Sight:
        """Prolong ``lease``, and tell the backend pids of the host's connections.

        The answer is awaited for ``timeout`` seconds. Count the lease's time from before this call.
        """
        array = "{" + ",".join(map(str, pids)) + "}"
        values = (lease.host_id, lease.incarnation, str(lease.epoch), array)
        statement = "SELECT beat($1, $2, $3::bigint, $4::integer[])"
        return _sight(self._one(statement, *values, timeout=timeout) or "")

    def bump(self, peer: HostRow | Lease) -> int | None:
        """End the expired lease ``peer``. The new epoch; None for a lease that is over or not expired."""
        statement = "SELECT bump($1, $2::bigint)"
        return _number(self._one(statement, peer.host_id, str(peer.epoch)))

    def terminate(self, peer: Lease, seconds: float) -> int:
        """End all connections of ``peer``, whose epoch is the bumped one; ``seconds`` is the wait for each.

        Returns the count of those that are still there: nothing may be claimed before that is 0.
        """
        statement = "SELECT terminate($1, $2::bigint, $3::bigint)"
        values = (peer.host_id, str(peer.epoch), str(round(seconds * 1000)))
        return int(self._one(statement, *values) or 0)

    def claim(self, key_id: str, lease: Lease) -> int | None:
        """Claim an account that no living host owns. The number of the claim; None when that was refused."""
        statement = "SELECT claim($1, $2, $3, $4::bigint)"
        values = (key_id, lease.host_id, lease.incarnation, str(lease.epoch))
        return _number(self._one(statement, *values))

    def release(self, key_id: str, lease: Lease, fence: int) -> bool:
        """Give up the claim ``fence`` on an account. False when the claim is another one by now."""
        statement = "SELECT release($1, $2, $3::bigint)"
        return self._one(statement, key_id, lease.host_id, str(fence)) == "t"

    def drain(self, lease: Lease, draining: bool) -> bool:
        """Say whether the host hands over its accounts. False when the lease is over."""
        statement = "SELECT drain($1, $2, $3::bigint, $4::boolean)"
        values = (lease.host_id, lease.incarnation, str(lease.epoch), str(draining))
        return self._one(statement, *values) == "t"

    def leave(self, lease: Lease) -> bool:
        """End the host's own lease, after its last write. False when the lease was over."""
        statement = "SELECT leave($1, $2, $3::bigint)"
        return self._one(statement, lease.host_id, lease.incarnation, str(lease.epoch)) == "t"

    def open_intents(self, key_id: str) -> dict[str, float]:
        """The age in seconds, by the database's clock, of the intent of each open order of an account."""
        rows = self._rows("SELECT * FROM open_intents($1)", key_id)
        return {str(order): float(age or 0.0) for order, age in rows}

    def add_evidence(self, lease: Lease, key_id: str, client_order_id: str, content: str) -> None:
        """Keep ``content``, JSON of an outcome of an order; never refused, as outcomes are facts."""
        statement = "INSERT INTO evidence (host_id, key_id, client_order_id, content) VALUES ($1, $2, $3, $4)"
        self._rows(statement, lease.host_id, key_id, client_order_id, content)

    def evidence(self, key_id: str) -> list[tuple[str, str]]:
        """The client_order_id and content of each piece of evidence about an account, oldest first."""
        statement = "SELECT client_order_id, content FROM evidence WHERE key_id = $1 ORDER BY id"
        return [(str(order), str(content)) for order, content in self._rows(statement, key_id)]

    def forget_writes(self) -> int:
        """Forget the ids of writes of more than 7 days ago. Returns their count."""
        return int(self._one("SELECT forget_writes()") or 0)

    def _one(self, statement: str, *values: str, timeout: float = ANSWER_SECONDS) -> str | None:
        return self._rows(statement, *values, timeout=timeout)[0][0]

    def _rows(
        self, statement: str, *values: str, timeout: float = ANSWER_SECONDS
    ) -> list[tuple[str | None, ...]]:
        try:
            return self._connection.call(statement, values, timeout).rows
        except StatementRefused as error:
            _refuse(error)


def _refuse(error: StatementRefused) -> NoReturn:
    if error.sqlstate in _REFUSED_TERMS:
        raise ConfigRefused(str(error)) from error
    kind = LedgerUnavailable if error.passes else LedgerFailed
    raise kind(f"PostgreSQL: {error}") from error


def _number(value: str | None) -> int | None:
    return None if value is None else int(value)


def _sight(text: str) -> Sight:
    document = json.loads(text)
    return Sight(
        accepted=document["accepted"],
        now=from_iso(document["now"]),
        system=document["system"],
        timeline=document["timeline"],
        lsn=document["lsn"],
        terms=HostTerms(*document["terms"]),
        hosts=tuple(HostRow(**row) for row in document["hosts"]),
        accounts=tuple(AccountRow(**row) for row in document["accounts"]),
    )
