"""Hosts that share a PostgreSQL, for the tests of what it keeps: their leases, claims and writes."""

from __future__ import annotations

import json
import uuid
from typing import NamedTuple

from execsvc.hosts.placement import TakeAccount
from execsvc.hosts.rows import AccountRecord, incarnation_of
from execsvc.hosts.takeover import join_steps
from execsvc.hosts.timing import Timing
from execsvc.store.postgresql.connection import DatabaseConnection
from execsvc.store.postgresql.leases import Leases
from execsvc.store.postgresql.remote import Kind, RowImage, Write

TIMING = Timing(order_timeout=30.0, settlement_window=10.0)


class JoinedHost(NamedTuple):
    """A host with a lease."""

    leases: Leases
    connection: DatabaseConnection

    def answers(self, *writes: Write) -> list[str]:
        """The answers of the database to ``writes``, sent as one batch."""
        batch = json.dumps([list(write) for write in writes])
        values = (self.leases.host_id, self.leases.incarnation, batch)
        ((found,),) = self.connection.call("SELECT write_batch($1, $2, $3::jsonb)", values).rows
        return str(found).strip("{}").split(",")

    def account(self, key_id: str) -> AccountRecord | None:
        """The row of an account."""
        return next((row for row in self.leases.beat().accounts if row.key_id == key_id), None)

    def takes(self, key_id: str) -> bool:
        """Claim an account as its row is now. False when that was refused."""
        seen = self.leases.beat()
        step = TakeAccount(key_id, self.account(key_id), self.leases.epoch)
        return self.leases.execute(step, seen.timeline)

    def fence(self, key_id: str) -> int:
        """The number of the claim of this host on an account, claimed if it is not yet."""
        row = self.account(key_id)
        if row is None or (row.owner, row.owner_epoch) != (self.leases.host_id, self.leases.epoch):
            assert self.takes(key_id)
            row = self.account(key_id)
        assert row is not None
        return row.fence


def joined(
    connection: DatabaseConnection, host_id: str = "one", timing: Timing = TIMING, machine: str = ""
) -> JoinedHost:
    """A host that has just joined, whatever lease its name had."""
    incarnation = incarnation_of(machine or host_id, uuid.uuid4().hex)
    leases = Leases(connection, host_id, incarnation)
    leases.agree(timing)
    seen = leases.beat()
    for step in join_steps(host_id, incarnation, seen.host(host_id)):
        assert leases.execute(step, seen.timeline), step
    return JoinedHost(leases, connection)


def a_write(
    key_id: str = "", fence: int = 0, *rows: RowImage, owner: str = "bot", kind: Kind = "bot"
) -> Write:
    """A write of ``rows``, by default of one guard of a bot."""
    guard = (1, "loss", "5", "2026-01-01T00:00:00.000Z", "why")
    return Write(
        uuid.uuid4().hex, kind, owner, key_id, fence, rows or (RowImage("guard", ("loss",), guard),)
    )


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
