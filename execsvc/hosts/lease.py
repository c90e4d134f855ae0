"""The lease of this host: for how long, and on which accounts, it may send orders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import NamedTuple

from execsvc.hosts.timing import Timing


class LeaseState(str, Enum):
    """The state of this host's lease."""

    HELD = "HELD"
    """Orders may be sent."""
    WAITING_STORE = "WAITING_STORE"
    """No beat has succeeded for SELF_FENCE: runners pause, and go on in place after the next one."""
    LOST = "LOST"
    """No beat has succeeded for TTL, or the host was declared dead: runners end without selling."""


@dataclass(frozen=True)
class HostLease:
    """One epoch of this host; moments are CLOCK_BOOTTIME in seconds.

    ``sent`` is the moment at which the last beat that succeeded was *sent*: the database can have
    counted TTL from no earlier moment, however long the answer took.
    """

    timing: Timing
    incarnation: str
    epoch: int
    sent: float
    ended: bool = False

    @property
    def deadline(self) -> float:
        """The moment from which no order may be sent; 0 when the lease has ended."""
        return 0.0 if self.ended else self.sent + self.timing.self_fence

    def state(self, now: float) -> LeaseState:
        """The state at ``now``."""
        if self.ended or now >= self.sent + self.timing.ttl:
            return LeaseState.LOST
        return LeaseState.HELD if now < self.deadline else LeaseState.WAITING_STORE

    def answered(self, *, accepted: bool, sent: float, received: float) -> HostLease:
        """This lease after the answer to a beat.

        A lease that ran out before the answer came stays LOST, whatever the answer is: its runners
        have been told to end.
        """
        if not accepted or self.state(received) is LeaseState.LOST:
            return replace(self, ended=True)
        return replace(self, sent=max(sent, self.sent))


class Permit(NamedTuple):
    """The part of a lease that runners read: a deadline, and the fence of each account."""

    deadline: float
    fences: Mapping[str, int]

    def may_begin(self, key_id: str, now: float) -> bool:
        """True when an intent may be committed for the account."""
        return key_id in self.fences and now < self.deadline

    def may_send(
        self, key_id: str, fence: int, *, began: float, now: float, timing: Timing
    ) -> bool:
        """True when the order of a committed intent may be sent at ``now``.

        ``began`` is the moment before the intent's write was sent: the intent is no older than
        that. An order that may not be sent is recorded as never sent. The request has to follow at
        once; ``Timing.longest_pause`` says how late it does no harm.
        """
        return (
            self.fences.get(key_id) == fence
            and now < self.deadline
            and now - began <= timing.intent_age
        )
