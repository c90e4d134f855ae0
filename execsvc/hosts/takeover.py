"""The statements by which an epoch of a host ends: of a dead host, and of this host when it joins."""

from __future__ import annotations

from typing import NamedTuple

from execsvc.hosts.peers import Peers
from execsvc.hosts.placement import ranking
from execsvc.hosts.rows import AccountRecord, BeatAnswer, HostRecord, machine_of


class ExpireHost(NamedTuple):
    """First bump: epoch + 1 and ``closing``, if the row is as given and has expired."""

    host_id: str
    incarnation: str
    epoch: int
    beat: int


class TerminateBackends(NamedTuple):
    """Terminate every backend of the host; ``pids`` are those that its row names."""

    host_id: str
    pids: tuple[int, ...]


class CloseEpoch(NamedTuple):
    """Second bump: epoch + 1 and no longer ``closing``, if the row has this epoch and is closing.

    A statement of the dead host that had passed its check before the first bump may land until its
    backend has ended. No account is claimed before the second bump.
    """

    host_id: str
    epoch: int


class BeginJoin(NamedTuple):
    """Bump of the own epoch: epoch + 1, ``closing``, the new incarnation, beat + 1, if the row is
    as it was read (0 and an empty incarnation: there is no row yet).
    """

    host_id: str
    incarnation: str
    former_incarnation: str
    former_epoch: int


class FinishJoin(NamedTuple):
    """Second bump of the own epoch: epoch + 1, not ``closing``, not draining, expires after TTL; if
    the row has this incarnation and epoch and is closing. The host's epoch is ``epoch`` + 1.
    """

    host_id: str
    incarnation: str
    epoch: int


TakeoverStep = ExpireHost | TerminateBackends | CloseEpoch
JoinStep = BeginJoin | TerminateBackends | FinishJoin


def orphaned(account: AccountRecord, answer: BeatAnswer) -> bool:
    """True when any host may claim the account: no claim on it is valid, and none can still land."""
    if account.owner is None:
        return True
    owner = answer.host(account.owner)
    return owner is None or (owner.epoch > account.owner_epoch and not owner.closing)


def steps_of_takeover(row: HostRecord) -> tuple[TakeoverStep, ...]:
    """The statements that end the epoch of a dead host, in order; each needs the one before it.

    A takeover that was left half-way is taken up where the row says that it stands. Two hosts may
    take over the same host at once: both terminate, and one of them closes.
    """
    terminate = TerminateBackends(row.host_id, row.backend_pids)
    if row.closing:
        return (terminate, CloseEpoch(row.host_id, row.epoch))
    return (
        ExpireHost(row.host_id, row.incarnation, row.epoch, row.beat),
        terminate,
        CloseEpoch(row.host_id, row.epoch + 1),
    )


def takeovers(
    own: str, peers: Peers, answer: BeatAnswer, now: float
) -> tuple[tuple[TakeoverStep, ...], ...]:
    """The takeovers that this host has to begin at ``now``, one group of statements a dead host.

    Every live host may do it. So that not all of them do it at once, each waits one beat longer for
    each host that comes before it in the ranking of the dead host's id.
    """
    dead = [row for row in answer.hosts if row.host_id != own and peers.dead(answer, row, now)]
    live = [row.host_id for row in answer.hosts if row not in dead]
    groups = []
    for row in dead:
        has_accounts = any(
            account.owner == row.host_id and not orphaned(account, answer)
            for account in answer.accounts
        )
        turn = peers.timing.ttl + peers.timing.beat * ranking(row.host_id, live).index(own)
        if has_accounts and peers.silent_for(row.host_id, now) >= turn:
            groups.append(steps_of_takeover(row))
    return tuple(groups)


def may_join(own: str, incarnation: str, peers: Peers, answer: BeatAnswer, now: float) -> bool:
    """True when this host may take over the row of its own id.

    At once when the row is of the same machine, where a file lock keeps two services apart. Another
    machine with the same host id has to be dead first: two live ones would end each other's epoch.
    """
    row = answer.host(own)
    if row is None or machine_of(row.incarnation) == machine_of(incarnation):
        return True
    return peers.dead(answer, row, now)


def join_steps(own: str, incarnation: str, row: HostRecord | None) -> tuple[JoinStep, ...]:
    """The statements by which this host gets an epoch, in order; each needs the one before it."""
    former = ("", 0, ()) if row is None else (row.incarnation, row.epoch, row.backend_pids)
    return (
        BeginJoin(own, incarnation, former[0], former[1]),
        TerminateBackends(own, former[2]),
        FinishJoin(own, incarnation, former[1] + 1),
    )
