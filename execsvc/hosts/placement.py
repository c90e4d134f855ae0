"""The host that an account should be on: a preference; the claim in the database is the truth."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from execsvc.hosts.peers import Peers
from execsvc.hosts.rows import AccountRecord, BeatAnswer, HostRecord
from execsvc.hosts.timing import Timing


class TakeAccount(NamedTuple):
    """Claim for the given epoch with fence + 1, if the row is as given (None: there is no row yet),
    and its owner is none, this host, or a host whose epoch has been closed since.
    """

    key_id: str
    row: AccountRecord | None
    epoch: int


class ReleaseAccount(NamedTuple):
    """Give up a claim: owner none, if the row is as given and the account has no open intent."""

    row: AccountRecord


def ranking(subject: str, hosts: Iterable[str]) -> list[str]:
    """The hosts by rendezvous hashing: when one goes, only what was on it gets another first host."""
    return sorted(hosts, key=lambda host: _weight(subject, host), reverse=True)


def _weight(subject: str, host: str) -> bytes:
    return hashlib.blake2b(f"{len(subject)}:{subject}{host}".encode(), digest_size=16).digest()


def takers(peers: Peers, answer: BeatAnswer, now: float) -> list[str]:
    """The hosts that may take accounts: those that neither drain nor are dead.

    A host that expired only just now counts: after an outage of the database it comes back.
    """
    return [
        row.host_id for row in answer.hosts if not row.draining and not peers.dead(answer, row, now)
    ]


def is_due(claimable_for: float, rank: int, timing: Timing) -> bool:
    """True when a host of this rank may claim an account that has been claimable for so long [s].

    The preferred host does so at once; each further one leaves it two beats more.
    """
    return claimable_for >= 2 * timing.beat * rank


def moves(
    own: str,
    held: Sequence[AccountRecord],
    peers: Peers,
    answer: BeatAnswer,
    now: float,
    *,
    busy: Collection[str],
    budget: int,
) -> list[ReleaseAccount]:
    """The accounts that this host has to hand over, of those that it holds.

    A draining host hands over all, at once. Otherwise an account moves only to its preferred host,
    at most ``budget`` of them, and only when that host is live and has been seen in one life for
    ``placement_wait``. An account that is busy or has an open intent does not move.
    """
    me = answer.host(own)
    steady = [row.host_id for row in answer.hosts if _is_steady(row, own, peers, answer, now)]
    free = [row for row in held if row.key_id not in busy]
    if me is not None and me.draining:
        return [ReleaseAccount(row) for row in free]
    better = [row for row in free if steady and ranking(row.key_id, steady)[0] != own]
    return [ReleaseAccount(row) for row in better[:budget]]


def _is_steady(row: HostRecord, own: str, peers: Peers, answer: BeatAnswer, now: float) -> bool:
    """True for this host, and for one that is live and stays as it is."""
    if row.host_id == own:
        return True
    return (
        not row.draining
        and not row.closing
        and not answer.expired(row)
        and peers.settled_for(row.host_id, now) >= peers.timing.placement_wait
    )
