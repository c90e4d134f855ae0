"""One simulated host of several, and the orders of its bots."""

from __future__ import annotations

from support.host_rows import TIMING
from support.shared_database import Claim

from execsvc.hosts.membership import Membership


class Order:
    """An order on its way; ``state`` is WRITING, CLEARED, SENT, EXECUTED or NEVER."""

    def __init__(self, intent_id: str, claim: Claim, began: float) -> None:
        self.intent_id = intent_id
        self.claim = claim
        self.began = began
        self.state = "WRITING"
        self.decided = False
        self.slack = 0.0
        """The true moment by which it has executed, unless its host paused for too long."""

    def may_execute(self, time: float) -> bool:
        """True while its execution is still possible, pauses beyond the longest one left aside."""
        return self.state in ("CLEARED", "SENT") and time < self.slack


class SimulatedHost:
    """One machine: its clock, its link to the database, its membership, the turns of its accounts."""

    def __init__(self, name: str, boot: float, rate: float) -> None:
        self.name = name
        self.boot = boot
        self.rate = rate
        self.life = 0
        self.incarnation = ""
        self.link = "good"
        self.paused_until = 0.0
        self.clock_stopped = False
        self.draining = False
        self.beat_id = 0
        self.become(Membership.begin(name, TIMING))
        self.turns: dict[str, Order] = {}

    def become(self, member: Membership) -> None:
        """Know something else from here on, and publish it."""
        self.member = member
        self.permit = member.permit()

    def clock(self, time: float) -> float:
        """CLOCK_BOOTTIME at a true time."""
        return self.boot + time * self.rate
