"""The counts since the start of the supervisor, over all processes of all bots. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from operator import add, lt, sub

from execsvc.runner.counts import NOTHING


class Totals:
    """Sums that only grow, although every process of a bot counts from zero.

    The counts of a process since its last report are lost when it dies.
    """

    def __init__(self) -> None:
        self.numbers: tuple[int, ...] = NOTHING
        """The sums, in the order of runner/counts.py."""
        self.restarts = 0
        self.listings = 0
        self.listing_failures = 0

    def take(self, taken: Sequence[int], reported: Sequence[int]) -> tuple[int, ...]:
        """Add the counts that a process reports beyond those ``taken`` of it before.

        Returns the counts taken of it now. A report with lower counts than an earlier one is invalid,
        and must not make the next one count twice.
        """
        reached = tuple(reported)
        if any(map(lt, reached, taken)):
            reached = tuple(map(max, taken, reached))
        if reached != taken:  # map runs in C, as a thousand bots report many times a second
            self.numbers = tuple(map(add, self.numbers, map(sub, reached, taken)))
        return reached
