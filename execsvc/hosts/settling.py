"""The moment at which an open intent of an earlier owner may be called not executed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from execsvc.hosts.rows import BeatAnswer, OpenIntent
from execsvc.hosts.timing import Timing


@dataclass(frozen=True)
class IntentWatch:
    """The open intents of all accounts, and since when this host has seen each unchanged.

    Intents of accounts of other hosts are watched as well: whichever host takes over has then
    watched long enough soon after the intent is old enough.
    """

    timing: Timing
    since: Mapping[OpenIntent, float] = field(default_factory=dict)

    def answered(self, answer: BeatAnswer, received: float) -> IntentWatch:
        """This watch after an answer; the time counts from receiving it."""
        return IntentWatch(
            self.timing,
            {intent: self.since.get(intent, received) for intent in answer.intents},
        )

    def may_decide(self, answer: BeatAnswer, intent: OpenIntent, now: float) -> bool:
        """True when the order of ``intent``, if no balance shows it, can be called not executed.

        An order is sent no later than ``intent_age`` after its intent, by its host's own clock, and
        shows within ORDER_TIMEOUT + SETTLEMENT_WINDOW. Both clocks have to say so: the database's
        alone would, when it is set forward, double an order. *Executed in full* may be decided
        earlier, at any time after the claim.
        """
        wait = self.timing.settle_after
        watched = now - self.since.get(intent, now)
        return watched >= wait and (answer.now - intent.created_at).total_seconds() >= wait

    @staticmethod
    def accounts(answer: BeatAnswer) -> frozenset[str]:
        """The accounts that have an open intent; all others resume at once after a claim."""
        return frozenset(intent.key_id for intent in answer.intents)
