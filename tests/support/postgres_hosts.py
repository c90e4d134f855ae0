"""Hosts on a real PostgreSQL, for the suites that every store is tried by."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from support.broker import RunningBroker
from support.shared_hosts import JoinedHost, joined

from execsvc.errors import ClaimLost
from execsvc.hosts.placement import ReleaseAccount
from execsvc.hosts.rows import AccountRecord
from execsvc.store.claims import Holder
from execsvc.store.postgresql.address import address
from execsvc.store.postgresql.client import BrokerClient
from execsvc.store.postgresql.connection import DatabaseConnection, connect
from execsvc.store.postgresql.remote import Kind, Remote, Row, Write
from execsvc.store.replicated.store import ReplicatedStore


class LatestBroker(Remote):
    """The client of a host's broker, which is another one once the host has joined again."""

    def __init__(self, client: BrokerClient) -> None:
        self.client = client

    def write(self, write: Write) -> None:
        """Record ``write``."""
        self.client.write(write)

    def written(self, write_id: str) -> bool:
        """True when that write was recorded."""
        return self.client.written(write_id)

    def read(self, kind: Kind, owner: str) -> dict[str, list[Row]]:
        """All rows by table."""
        return self.client.read(kind, owner)

    def owners(self, kind: Kind) -> list[str]:
        """All bots or accounts that have records."""
        return self.client.owners(kind)

    def put(self, name: str, content: bytes) -> None:
        """Keep a record of the service."""
        self.client.put(name, content)

    def replace(self, name: str, former: bytes | None, content: bytes) -> bool:
        """Keep a record of the service that is still ``former``."""
        return self.client.replace(name, former, content)

    def get(self, name: str) -> bytes | None:
        """A record of the service."""
        return self.client.get(name)


class LeasedClaims:
    """The claims of one host. An account that no host has is claimed when its claim is asked for."""

    def __init__(self, host: JoinedHost) -> None:
        self.host = host
        self._fences: dict[str, int] = {}

    def take(self, key_id: str) -> str | None:
        """Claim the account. Returns the reason why its bots must not run, None when they may."""
        if self._row(key_id)[0] == self.host.leases.host_id:
            return None
        if not self.host.takes(key_id):
            return f"account {key_id} is traded by another host"
        self._fences[key_id] = self._row(key_id)[1]
        return None

    def fence(self, key_id: str) -> int:
        """The number of the claim of this host."""
        if self._row(key_id)[0] is None:
            self.take(key_id)
        return self._fences.get(key_id, 0)

    def check(self, key_id: str, fence: int) -> None:
        """Raise ClaimLost when the claim of this number is lost."""
        if self._row(key_id) != (self.host.leases.host_id, fence):
            raise ClaimLost(f"account {key_id} is lost")

    def may_decide(self, client_order_id: str) -> bool:
        """True: no host of these suites dies while one of its orders is open."""
        return True

    def paused(self, key_id: str) -> str | None:
        """None: the lease of the host is good."""
        return None

    def holder(self, key_id: str) -> Holder | None:
        """The host that has claimed the account."""
        owner = self._row(key_id)[0]
        return None if owner is None else Holder(owner, owner == self.host.leases.host_id)

    def unusable(self) -> str | None:
        """None: claims can be made."""
        return None

    def may_be_run_elsewhere(self, key_id: str, bot_id: str) -> bool:
        """True unless this host has the account."""
        return self._row(key_id)[0] not in (None, self.host.leases.host_id)

    def held_elsewhere(self, bot_ids: Collection[str]) -> set[str]:
        """None of them: no suite that is run here asks."""
        return set()

    def to_inherit(self, key_id: str) -> set[int]:
        """None: a claim is no open file."""
        return set()

    def keep_only(self, key_ids: Collection[str]) -> None:
        """Give up the claims on other accounts."""
        for key_id in self._fences.keys() - set(key_ids):
            row = AccountRecord(
                key_id, self.host.leases.host_id, self.host.leases.epoch, self._fences.pop(key_id)
            )
            self.host.leases.execute(ReleaseAccount(row), self.host.leases.beat().timeline)

    def _row(self, key_id: str) -> tuple[str | None, int]:
        statement = "SELECT owner, fence FROM account WHERE key_id = $1"
        found = self.host.connection.call(statement, (key_id,)).rows
        return (found[0][0], int(found[0][1] or 0)) if found else (None, 0)


class PostgresHosts:
    """Hosts with a directory of copies each, and a broker each, on one database."""

    def __init__(self, folder: Path, url: str, url_apart: str = "") -> None:
        """``url_apart``: another database, for :meth:`apart`."""
        self._folder = folder
        self._url = url
        self._url_apart = url_apart
        self._apart: list[PostgresHosts] = []
        self._connections: list[DatabaseConnection] = []
        self._brokers: list[RunningBroker] = []
        self._hosts: dict[str, tuple[LatestBroker, LeasedClaims]] = {}

    def service(self, name: str = "one") -> ReplicatedStore:
        """The host ``name``, all of whose processes are this one."""
        if name not in self._hosts:
            self._connections.append(connect(address(self._url), "execsvc tests"))
            host = joined(self._connections[-1], name)
            self._hosts[name] = LatestBroker(self._broker(host)), LeasedClaims(host)
        records, claims = self._hosts[name]
        state_dir = self._folder / f"state-{name}"
        state_dir.mkdir(mode=0o700, exist_ok=True)
        return ReplicatedStore(state_dir, self._folder / f"run-{name}", records, claims, name)

    def seize(self, key_id: str, name: str) -> None:
        """Let the host ``name`` claim the account, after the end of the lease of its owner."""
        self.service(name)
        records, claims = self._hosts[name]
        for other, (_, theirs) in self._hosts.items():
            if other != name:
                theirs.host.leases.leave()
        claims.host = joined(claims.host.connection, name)
        records.client = self._broker(claims.host)
        assert claims.take(key_id) is None

    def apart(self) -> ReplicatedStore:
        """A host on the other database."""
        folder = self._folder / f"apart-{len(self._apart)}"
        folder.mkdir()
        self._apart.append(PostgresHosts(folder, self._url_apart))
        return self._apart[-1].service()

    def enter_fork(self) -> None:
        """Let this process, which was forked, have connections to the brokers of its own."""
        for records, _ in self._hosts.values():
            records.client.close()

    def close(self) -> None:
        """End all brokers and close all connections."""
        for hosts in self._apart:
            hosts.close()
        for broker in self._brokers:
            broker.stop()
        for connection in self._connections:
            connection.close()

    def _broker(self, host: JoinedHost) -> BrokerClient:
        leases = host.leases
        self._brokers.append(RunningBroker(self._url, leases.host_id, leases.incarnation))
        return self._brokers[-1].client()
