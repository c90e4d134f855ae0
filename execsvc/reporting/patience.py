"""Who may be tried when, while BotService refuses or does not answer. Pure."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import NamedTuple

LONGEST_PAUSE = 30.0
"""Seconds for which nobody is tried while BotService does not answer."""


class _Failing(NamedTuple):
    times: int
    due: float
    heard: int
    """How many answers there had been to anybody at its last failure."""


class Patience:
    """Delays that grow from 1 s to ``longest``, for each key and for all of them together.

    No answer is held against everybody, and against the one who got none only when others were
    answered meanwhile: it is then no fault of the service as a whole.
    """

    def __init__(self, longest: float, chance: Callable[[], float] = random.random) -> None:
        self._longest = longest
        self._chance = chance
        self._failing: dict[str, _Failing] = {}
        self._answers = 0
        self._silences = 0
        self._all_from = float("-inf")

    def ready(self, key: str, now: float) -> bool:
        """True when ``key`` may be tried."""
        return self.due(key) <= now

    def due(self, key: str) -> float:
        """When ``key`` may be tried; long ago when nothing is held against it."""
        failing = self._failing.get(key)
        return self._all_from if failing is None else max(failing.due, self._all_from)

    def succeeded(self, key: str) -> bool:
        """``key`` got what it wanted; True when it had been failing."""
        self._heard()
        return self._failing.pop(key, None) is not None

    def refused(self, key: str, now: float) -> None:
        """``key`` got another answer than it wanted; that is between the two of them."""
        self._heard()
        self._fails(key, now, at_fault=True)

    def unanswered(self, key: str, now: float, stay_away: float | None = None) -> None:
        """``key`` got no answer, or one that asks all to stay away for so many seconds."""
        before = self._failing.get(key)
        self._fails(key, now, at_fault=before is not None and before.heard < self._answers)
        self._silences += 1
        longest = min(LONGEST_PAUSE, self._longest)
        pause = self._delay(self._silences, longest) if stay_away is None else stay_away
        self._all_from = now + pause

    def _heard(self) -> None:
        self._answers += 1
        self._silences, self._all_from = 0, float("-inf")

    def _fails(self, key: str, now: float, at_fault: bool) -> None:
        before = self._failing.get(key)
        count = (before.times if before is not None else 0) + at_fault
        due = now + self._delay(count, self._longest) if at_fault else now
        self._failing[key] = _Failing(count, due, self._answers)

    def _delay(self, count: int, longest: float) -> float:
        """Doubling, less up to a quarter: what fails together is not tried together."""
        whole = min(2.0 ** min(count - 1, 30), longest)
        return whole * (1 - 0.25 * self._chance())
