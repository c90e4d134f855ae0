"""What was counted since the supervisor started, over all processes of all bots. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from operator import add, lt, sub

from execsvc.runner.counts import NOTHING


class Totals:
    """Sums that only grow, whoever dies: every process of a bot counts from zero.

    A process that dies takes with it what it had counted since its last report.
    """

    def __init__(self) -> None:
        self.numbers: tuple[int, ...] = NOTHING
        """Laid out as runner/counts.py says."""
        self.restarts = 0
        self.listings = 0
        self.listing_failures = 0

    def take(self, taken: Sequence[int], reported: Sequence[int]) -> tuple[int, ...]:
        """Add what a process reports beyond what was ``taken`` of it before.

        Returns what is taken of it now. A report that says less than an earlier one is nonsense,
        and must not make the next one count twice.
        """
        reached = tuple(reported)
        if any(map(lt, reached, taken)):
            reached = tuple(map(max, taken, reached))
        if reached != taken:  # in C: a thousand bots report many times a second
            self.numbers = tuple(map(add, self.numbers, map(sub, reached, taken)))
        return reached
