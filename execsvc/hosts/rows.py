"""The database's records of hosts, accounts and open intents, as the answer to a beat has them."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple


class HostRecord(NamedTuple):
    """One host. A row is read in one statement together with the database's clock."""

    host_id: str
    incarnation: str
    """Names one life of the host's service; see :func:`incarnation_of`."""
    epoch: int
    """Grows whenever the host is declared dead or joins; claims of an earlier epoch are void."""
    closing: bool
    """True from the first bump of the epoch to the second: statements of the earlier epoch may
    still land.
    """
    beat: int
    expires_at: datetime
    backend_pids: tuple[int, ...] = ()
    draining: bool = False


class AccountRecord(NamedTuple):
    """One account; ``owner`` is None when its host handed it over, or before its first claim."""

    key_id: str
    owner: str | None
    owner_epoch: int
    fence: int


class OpenIntent(NamedTuple):
    """An intent that is IN_FLIGHT, UNKNOWN or ARRIVING; ``created_at`` by the database's clock."""

    key_id: str
    intent_id: str
    state: str
    created_at: datetime


class BeatAnswer(NamedTuple):
    """The answer to one beat."""

    accepted: bool
    """False when the host's row has another incarnation or epoch, or is gone."""
    now: datetime
    """The database's clock."""
    timeline: int
    """The timeline that the database writes on."""
    acknowledged: int
    """The timeline whose freeze is over, as the cluster's row has it."""
    lsn: int
    """The position of the write-ahead log."""
    hosts: tuple[HostRecord, ...]
    accounts: tuple[AccountRecord, ...]
    intents: tuple[OpenIntent, ...]

    def host(self, host_id: str) -> HostRecord | None:
        """The row of ``host_id``; None before it joined for the first time."""
        return next((row for row in self.hosts if row.host_id == host_id), None)

    def expired(self, row: HostRecord) -> bool:
        """True when the lease of ``row`` has run out by the database's clock."""
        return row.expires_at <= self.now


def incarnation_of(machine: str, nonce: str) -> str:
    """The name of one life of the service on ``machine`` (machine-id); ``nonce`` is new each time."""
    return f"{machine}/{nonce}"


def machine_of(incarnation: str) -> str:
    """The machine of an incarnation."""
    return incarnation.partition("/")[0]
