"""Hosts that share a PostgreSQL, for the tests of what it keeps: their leases, claims and writes."""

from __future__ import annotations

import json
import uuid
from typing import NamedTuple

from execsvc.store.postgresql.connection import DatabaseConnection
from execsvc.store.postgresql.leases import HostTerms, Lease, Leases
from execsvc.store.postgresql.remote import Kind, RowImage, Write

TERMS = HostTerms(order_timeout=30.0, settlement_window=10.0, ttl=12.0)


class EnlistedHost(NamedTuple):
    """A host with a lease."""

    lease: Lease
    leases: Leases
    connection: DatabaseConnection

    def write_batch(self, *writes: Write) -> list[bool]:
        """The answers of the database to ``writes``, sent as one batch."""
        batch = json.dumps([list(write) for write in writes])
        values = (self.lease.host_id, self.lease.incarnation, batch)
        ((answers,),) = self.connection.call("SELECT write_batch($1, $2, $3::jsonb)", values).rows
        return [each == "t" for each in str(answers).strip("{}").split(",")]


def enlisted(
    connection: DatabaseConnection, host_id: str = "one", terms: HostTerms = TERMS
) -> EnlistedHost:
    """A new lease of the host ``host_id``."""
    leases = Leases(connection)
    return EnlistedHost(leases.enlist(host_id, uuid.uuid4().hex, terms), leases, connection)


def a_write(
    key_id: str = "", fence: int = 0, *rows: RowImage, owner: str = "bot", kind: Kind = "bot"
) -> Write:
    """A write of ``rows``, by default of one guard of a bot."""
    rows = rows or (
        RowImage("guard", ("loss",), (1, "loss", "5", "2026-01-01T00:00:00.000Z", "why")),
    )
    return Write(uuid.uuid4().hex, kind, owner, key_id, fence, rows)


def intent(seq: int, state: str) -> RowImage:
    """The row of an intent in ``state``."""
    at = "2026-01-01T00:00:00.000Z"
    row = (
        *(seq, seq, f"order-{seq}", "bot", "BTC/USDT", "buy", "0.1", "test", None, "1", "1000", at),
        *(None, "0", state, "0", None, None, None, "0", None, None, "", 0, 0),
    )
    return RowImage("intent", (seq,), row)


def expire(connection: DatabaseConnection, host_id: str) -> None:
    """Let the lease of a host have run out, as if the host had been silent for the TTL."""
    statement = (
        "UPDATE host SET expires_at = clock_timestamp() - interval '1 ms' WHERE host_id = $1"
    )
    connection.call(statement, (host_id,))
