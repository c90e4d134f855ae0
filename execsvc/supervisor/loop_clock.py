"""Time as the loop lives it: what passes while the loop does not turn does not count."""

from __future__ import annotations

from collections.abc import Callable

from execsvc.clock import monotonic

SLACK = 1.0
"""Seconds that a turn of the loop may take beyond its wait before it counts as a gap."""


class LoopClock:
    """Monotonic seconds without the gaps of the loop itself.

    A supervisor that was stopped for a minute (SIGSTOP, a machine put to sleep) must not take
    its own absence for the silence of its children: every deadline is measured on this clock,
    so that a gap moves them all at once.
    """

    def __init__(self, source: Callable[[], float] = monotonic) -> None:
        self._source = source
        self._seen = source()
        self._planned = 0.0
        self.now = self._seen
        self.gap = 0.0
        """Seconds of the last turn that do not count."""

    def plan(self, wait: float) -> None:
        """The loop is about to wait, for at most ``wait`` seconds."""
        self._turn()
        self._planned = wait

    def wake(self) -> None:
        """The loop turns again."""
        self._turn()

    def _turn(self) -> None:
        seen = self._source()
        passed, allowed = seen - self._seen, self._planned
        self.gap = passed - allowed if passed > allowed + SLACK else 0.0
        self.now += passed - self.gap
        self._seen = seen
        self._planned = 0.0
