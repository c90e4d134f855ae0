"""The part of one host in the cluster: all that it knows, and what it does next."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from execsvc.hosts.lease import HostLease, LeaseState, Permit
from execsvc.hosts.peers import Peers
from execsvc.hosts.placement import (
    ReleaseAccount,
    TakeAccount,
    is_due,
    moves,
    ranking,
    takers,
)
from execsvc.hosts.rows import AccountRecord, BeatAnswer, OpenIntent
from execsvc.hosts.settling import IntentWatch
from execsvc.hosts.takeover import TakeoverStep, orphaned, takeovers
from execsvc.hosts.timeline import TimelineWatch
from execsvc.hosts.timing import Timing


class AcknowledgeTimeline(NamedTuple):
    """Make ``timeline`` the acknowledged one, if the database writes on it and ``former`` is there."""

    timeline: int
    former: int


class DistrustTimeline(NamedTuple):
    """Make 0 the acknowledged timeline, so that all hosts are frozen."""

    timeline: int


class HostPlan(NamedTuple):
    """The statements that a host executes after a beat, in this order.

    Each is refused when the database does not write on ``timeline``; each but the first kind also
    when that timeline is not acknowledged.
    """

    timeline: int
    freeze: AcknowledgeTimeline | DistrustTimeline | None = None
    takeovers: tuple[tuple[TakeoverStep, ...], ...] = ()
    releases: tuple[ReleaseAccount, ...] = ()
    claims: tuple[TakeAccount, ...] = ()


class Claimable(NamedTuple):
    """An account that any host may claim, as its row was, and since when it was seen so."""

    row: AccountRecord | None
    since: float


@dataclass(frozen=True)
class Membership:
    """One host in the cluster; all moments are its CLOCK_BOOTTIME in seconds."""

    host_id: str
    timing: Timing
    peers: Peers
    intents: IntentWatch
    timeline: TimelineWatch
    lease: HostLease | None = None
    answer: BeatAnswer | None = None
    claimable: Mapping[str, Claimable] = field(default_factory=dict)
    releasing: frozenset[AccountRecord] = frozenset()
    """Claims that were given up while it is not known that the database did so. Such a claim is not
    used again: its statement may still land. A new claim, with a new fence, makes that one void.
    """
    moved_at: float = 0.0

    @classmethod
    def begin(cls, host_id: str, timing: Timing) -> Membership:
        """A host that has not joined and knows nothing."""
        return cls(host_id, timing, Peers(timing), IntentWatch(timing), TimelineWatch(timing))

    def joined(self, incarnation: str, epoch: int, sent: float) -> Membership:
        """This host after it joined; ``sent`` is the moment before its last statement was sent."""
        return replace(self, lease=HostLease(self.timing, incarnation, epoch, sent))

    def answered(self, answer: BeatAnswer, sent: float, received: float) -> Membership:
        """This host after the answer to a beat, or, before it has joined, to a read of the rows."""
        lease = self.lease and self.lease.answered(
            accepted=answer.accepted, sent=sent, received=received
        )
        return replace(
            self,
            lease=lease,
            answer=answer,
            peers=self.peers.answered(answer, received),
            intents=self.intents.answered(answer, received),
            timeline=self.timeline.answered(answer, received),
            claimable=self._claimable(answer, received),
            releasing=self.releasing & frozenset(answer.accounts),
        )

    def _claimable(self, answer: BeatAnswer, received: float) -> dict[str, Claimable]:
        known = {row.key_id for row in answer.accounts}
        found = {key: seen for key, seen in self.claimable.items() if key not in known}
        for row in answer.accounts:
            if orphaned(row, answer):
                before = self.claimable.get(row.key_id)
                same = before is not None and before.row == row
                found[row.key_id] = before if before and same else Claimable(row, received)
        return found

    def state(self, now: float) -> LeaseState:
        """The state of this host's lease; LOST before it has joined."""
        return LeaseState.LOST if self.lease is None else self.lease.state(now)

    def claims(self) -> tuple[AccountRecord, ...]:
        """The rows of the accounts that this host has claimed in its epoch."""
        if self.lease is None or self.answer is None:
            return ()
        owner = (self.host_id, self.lease.epoch)
        return tuple(row for row in self.answer.accounts if (row.owner, row.owner_epoch) == owner)

    def permit(self) -> Permit:
        """The deadline and the fences that runners go by; the deadline is 0 during a freeze."""
        deadline = 0.0 if self.lease is None or self.timeline.frozen else self.lease.deadline
        rows = (row for row in self.claims() if row not in self.releasing)
        return Permit(deadline, {row.key_id: row.fence for row in rows})

    def may_decide(self, intent: OpenIntent, now: float) -> bool:
        """True when this host may call the order of ``intent`` not executed.

        Only what it may begin an order for may it decide, and only an intent that it did not see
        end; see :meth:`IntentWatch.may_decide`. The statement is fenced like any other.
        """
        return (
            self.answer is not None
            and self.permit().may_begin(intent.key_id, now)
            and self.intents.may_decide(self.answer, intent, now)
        )

    def decided(
        self, now: float, wanted: Collection[str], busy: Collection[str]
    ) -> tuple[Membership, HostPlan]:
        """This host with what it is about to give up, and its next statements.

        ``wanted`` are the accounts of all listed bots; ``busy`` those of this host whose turn is
        taken, or that have a write whose answer is not known.
        """
        answer = self.answer
        if answer is None or self.lease is None or self.state(now) is not LeaseState.HELD:
            return self, HostPlan(self.timeline.timeline)
        if self.timeline.frozen:
            return self, HostPlan(answer.timeline, freeze=self._end_of_freeze(now))
        live = takers(self.peers, answer, now)
        held = self.claims()
        claimable = self._with_new_accounts(answer, wanted, now)
        released = moves(
            *(self.host_id, held, self.peers, answer, now),
            busy=IntentWatch.accounts(answer).union(busy),
            budget=self._budget(now, len(live)),
        )
        given_up = frozenset(release.row for release in released)
        plan = HostPlan(
            answer.timeline,
            takeovers=takeovers(self.host_id, self.peers, answer, now),
            releases=tuple(released),
            claims=(
                *self._taken_back(held, given_up, self.lease.epoch),
                *self._claimed(now, claimable, live, self.lease.epoch),
            ),
        )
        after = replace(
            self,
            claimable=claimable,
            releasing=self.releasing | given_up,
            moved_at=now if released else self.moved_at,
        )
        return after, plan

    def _with_new_accounts(
        self, answer: BeatAnswer, wanted: Collection[str], now: float
    ) -> dict[str, Claimable]:
        """The claimable accounts, those among them that are wanted and have no row yet."""
        known = {row.key_id for row in answer.accounts}
        new = {
            key: self.claimable.get(key, Claimable(None, now)) for key in wanted if key not in known
        }
        return {key: seen for key, seen in self.claimable.items() if key in known} | new

    def _end_of_freeze(self, now: float) -> AcknowledgeTimeline | DistrustTimeline | None:
        watch = self.timeline
        if watch.may_distrust:
            return DistrustTimeline(watch.timeline)
        if watch.may_acknowledge(now):
            return AcknowledgeTimeline(watch.timeline, watch.acknowledged)
        return None

    def _budget(self, now: float, hosts: int) -> int:
        """The accounts that this host may move now: its part of what all may move in a second."""
        seconds = min(now - self.moved_at, self.timing.beat)
        return int(seconds * self.timing.moves_per_second / max(hosts, 1))

    def _taken_back(
        self, held: tuple[AccountRecord, ...], given_up: frozenset[AccountRecord], epoch: int
    ) -> list[TakeAccount]:
        """New claims on what was to be released, is still this host's, and is to stay."""
        kept = self.releasing.intersection(held) - given_up
        return [TakeAccount(row.key_id, row, epoch) for row in sorted(kept)]

    def _claimed(
        self, now: float, claimable: Mapping[str, Claimable], live: list[str], epoch: int
    ) -> list[TakeAccount]:
        """Claims on accounts without an owner that it is this host's turn to claim."""
        if self.host_id not in live:
            return []
        return [
            TakeAccount(key, row, epoch)
            for key, (row, since) in sorted(claimable.items())
            if is_due(now - since, ranking(key, live).index(self.host_id), self.timing)
        ]
