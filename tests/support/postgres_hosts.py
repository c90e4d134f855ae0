"""Hosts on a real PostgreSQL, for the suites that every store is tried by."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection
from pathlib import Path

from support.shared_hosts import TERMS, EnlistedHost, enlisted, expire

from execsvc.errors import ClaimLost, LedgerFailed
from execsvc.store.claims import Holder
from execsvc.store.postgresql.address import address
from execsvc.store.postgresql.connection import DatabaseConnection, StatementRefused, connect
from execsvc.store.postgresql.remote import Kind, Row, Write
from execsvc.store.replicated.store import ReplicatedStore


class DirectRecords:
    """The shared records over a connection of the test's own: the broker's statements, without the broker."""

    def __init__(self, host: EnlistedHost) -> None:
        self.host = host

    def write(self, write: Write) -> None:
        """Record ``write``."""
        try:
            accepted = self.host.write_batch(write)
        except StatementRefused as error:
            raise LedgerFailed(str(error)) from error
        if accepted != [True]:
            raise ClaimLost("the claim or the lease is lost")

    def written(self, write_id: str) -> bool:
        """True when that write was recorded."""
        return self._rows("SELECT was_written($1)", write_id)[0][0] == "t"

    def read(self, kind: Kind, owner: str) -> dict[str, list[Row]]:
        """All rows by table."""
        found = self._rows("SELECT name, content FROM read_rows($1, $2)", kind, owner)
        return {str(name): [tuple(row) for row in json.loads(str(text))] for name, text in found}

    def owners(self, kind: Kind) -> list[str]:
        """All bots or accounts that have records."""
        found = self._rows(f"SELECT owner FROM {kind}_{kind} ORDER BY owner")
        return [str(row[0]) for row in found]

    def put(self, name: str, content: bytes) -> None:
        """Keep a record of the service."""
        lease = self.host.lease
        values = (lease.host_id, lease.incarnation, name, f"\\x{content.hex()}")
        assert self._rows("SELECT put_record($1, $2, $3, $4::bytea)", *values) == [("t",)]

    def get(self, name: str) -> bytes | None:
        """A record of the service."""
        found = self._rows("SELECT content FROM service_record WHERE name = $1", name)
        return bytes.fromhex(str(found[0][0])[2:]) if found else None

    def _rows(self, statement: str, *values: str) -> list[tuple[str | None, ...]]:
        return self.host.connection.call(statement, values).rows


class LeasedClaims:
    """The claims of one host. An account that no host has is claimed when its claim is asked for."""

    def __init__(self, host: EnlistedHost) -> None:
        self.host = host
        self._fences: dict[str, int] = {}

    def take(self, key_id: str) -> str | None:
        """Claim the account. Returns the reason why its bots must not run, None when they may."""
        if self._row(key_id)[0] == self.host.lease.host_id:
            return None
        fence = self.host.leases.claim(key_id, self.host.lease)
        if fence is None:
            return f"account {key_id} is traded by another host"
        self._fences[key_id] = fence
        return None

    def fence(self, key_id: str) -> int:
        """The number of the claim of this host."""
        if self._row(key_id)[0] is None:
            self.take(key_id)
        return self._fences.get(key_id, 0)

    def check(self, key_id: str, fence: int) -> None:
        """Raise ClaimLost when the claim of this number is lost."""
        if self._row(key_id) != (self.host.lease.host_id, fence):
            raise ClaimLost(f"account {key_id} is lost")

    def holder(self, key_id: str) -> Holder | None:
        """The host that has claimed the account."""
        owner = self._row(key_id)[0]
        return None if owner is None else Holder(owner, owner == self.host.lease.host_id)

    def unusable(self) -> str | None:
        """None: claims can be made."""
        return None

    def may_be_run_elsewhere(self, key_id: str, bot_id: str) -> bool:
        """True unless this host has the account."""
        return self._row(key_id)[0] not in (None, self.host.lease.host_id)

    def held_elsewhere(self, bot_ids: Collection[str]) -> set[str]:
        """None of them: no suite that is run here asks."""
        return set()

    def to_inherit(self, key_id: str) -> set[int]:
        """None: a claim is no open file."""
        return set()

    def keep_only(self, key_ids: Collection[str]) -> None:
        """Give up the claims on other accounts."""
        for key_id in self._fences.keys() - set(key_ids):
            self.host.leases.release(key_id, self.host.lease, self._fences.pop(key_id))

    def _row(self, key_id: str) -> tuple[str | None, int]:
        statement = "SELECT owner, fence FROM account WHERE key_id = $1"
        found = self.host.connection.call(statement, (key_id,)).rows
        return (found[0][0], int(found[0][1] or 0)) if found else (None, 0)


class PostgresHosts:
    """Hosts with a directory of copies each, on one database."""

    def __init__(self, folder: Path, url: str) -> None:
        self._folder = folder
        self._url = url
        self._connections: list[DatabaseConnection] = []
        self._hosts: dict[str, tuple[DirectRecords, LeasedClaims]] = {}

    def service(self, name: str = "one") -> ReplicatedStore:
        """The host ``name``, all of whose processes are this one."""
        if name not in self._hosts:
            self._connections.append(connect(address(self._url), "execsvc tests"))
            host = enlisted(self._connections[-1], name)
            self._hosts[name] = DirectRecords(host), LeasedClaims(host)
        records, claims = self._hosts[name]
        state_dir = self._folder / f"state-{name}"
        state_dir.mkdir(mode=0o700, exist_ok=True)
        return ReplicatedStore(state_dir, self._folder / f"run-{name}", records, claims, name)

    def seize(self, key_id: str, name: str) -> None:
        """Let the host ``name`` claim the account, after the end of the lease of its owner."""
        self.service(name)
        records, claims = self._hosts[name]
        for other, (theirs, _) in self._hosts.items():
            if other != name:
                expire(theirs.host.connection, other)
                claims.host.leases.bump(theirs.host.lease)
        leases, lease = claims.host.leases, claims.host.lease
        host_id, incarnation = lease.host_id, uuid.uuid4().hex
        again = leases.enlist(host_id, incarnation, TERMS, lease.incarnation)
        records.host = claims.host = claims.host._replace(lease=again)
        assert claims.take(key_id) is None

    def close(self) -> None:
        """Close all connections."""
        for connection in self._connections:
            connection.close()
