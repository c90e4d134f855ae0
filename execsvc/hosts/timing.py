"""The times that all hosts of a cluster share."""

from __future__ import annotations

from dataclasses import dataclass

from execsvc.errors import ConfigRefused


@dataclass(frozen=True)
class Timing:
    """Times in seconds; hosts of which one differs must not share accounts.

    Raises ConfigRefused when they cannot keep two hosts off one account.
    """

    order_timeout: float
    """Time for one order, from sending it to giving up its answer."""
    settlement_window: float
    """Time after that within which the order may still execute, or its execution show."""
    beat: float = 3.0
    """Time between two beats."""
    beat_timeout: float = 2.0
    """Time for the answer to one beat."""
    ttl: float = 12.0
    """Time for which a beat lets its host write, by the database's clock; and the time for which a
    peer has to see the beat unchanged, by its own clock.
    """
    self_fence: float = 8.0
    """Time after sending the last successful beat at which a host stops sending orders."""
    intent_age: float = 2.0
    """The largest age of an intent whose order may still be sent."""
    placement_wait: float = 60.0
    """Time for which a host has to be seen as it is before accounts are moved to it."""
    moves_per_second: float = 5.0
    """The most accounts that all hosts together move in a second to have them better placed."""

    def __post_init__(self) -> None:
        """Refuse times that contradict each other."""
        faults = []
        if min(self.order_timeout, self.settlement_window) < 0 or min(self._positive) <= 0:
            faults.append("a time of several hosts is negative or zero")
        if self.beat + self.beat_timeout >= self.self_fence:
            faults.append(
                "a host would fence itself before its next beat can succeed: SELF_FENCE has to be"
                f" longer than {self.beat + self.beat_timeout:g} s"
            )
        if self.self_fence >= self.ttl:
            faults.append(
                f"SELF_FENCE ({self.self_fence:g} s) has to be shorter than TTL ({self.ttl:g} s)"
            )
        if faults:
            raise ConfigRefused(*faults)

    @property
    def settle_after(self) -> float:
        """Time after its intent at which an order that has not shown can be called not executed."""
        return self.intent_age + self.order_timeout + self.settlement_window

    @property
    def freeze(self) -> float:
        """Time for which a new timeline of the database stops everything.

        By then each host that held a lease on the former timeline has fenced itself, and no order
        whose intent was lost in the failover can execute any more.
        """
        return self.ttl + self.settle_after

    @property
    def longest_pause(self) -> float:
        """The time that may pass from the check of an order until its execution shows in a balance.

        The intent may be ``intent_age`` old at the check, and a successor decides at
        ``settle_after``. An order that executes at once is therefore safe when its host pauses
        between the check and the request for less than ORDER_TIMEOUT + SETTLEMENT_WINDOW; an order
        that takes these two times itself leaves nothing for a pause.
        """
        return self.settle_after - self.intent_age

    @property
    def _positive(self) -> tuple[float, ...]:
        return (
            *(self.beat, self.beat_timeout, self.ttl, self.self_fence, self.intent_age),
            *(self.placement_wait, self.moves_per_second),
        )
