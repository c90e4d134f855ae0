"""The times of the next tries, while BotService refuses or does not answer. Pure."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import NamedTuple

LONGEST_PAUSE = 30.0
"""Seconds between two tries of any key, at most, while BotService does not answer."""


class _Failing(NamedTuple):
    times: int
    due: float
    answers: int
    """Count of the answers to all keys at the last failure of this one."""


class Backoff:
    """Delays that grow from 1 s to ``longest``, for each key and for all of them together.

    A missing answer delays all keys. It delays its own key beyond that only when other keys were
    answered meanwhile, as it is then no fault of the service as a whole.
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
        """The time from which ``key`` may be tried; -inf when nothing delays it."""
        failing = self._failing.get(key)
        return self._all_from if failing is None else max(failing.due, self._all_from)

    def succeeded(self, key: str) -> bool:
        """Note that a try of ``key`` has succeeded; True when the key had been failing."""
        self._answered()
        return self._failing.pop(key, None) is not None

    def refused(self, key: str, now: float) -> None:
        """Note that a try of ``key`` was refused, which delays this key alone."""
        self._answered()
        self._fails(key, now, at_fault=True)

    def unanswered(self, key: str, now: float, stay_away: float | None = None) -> None:
        """Note that ``key`` got no answer, or one that asks for a pause of ``stay_away`` seconds."""
        before = self._failing.get(key)
        self._fails(key, now, at_fault=before is not None and before.answers < self._answers)
        self._silences += 1
        longest = min(LONGEST_PAUSE, self._longest)
        pause = self._delay(self._silences, longest) if stay_away is None else stay_away
        self._all_from = now + pause

    def _answered(self) -> None:
        self._answers += 1
        self._silences, self._all_from = 0, float("-inf")

    def _fails(self, key: str, now: float, at_fault: bool) -> None:
        before = self._failing.get(key)
        count = (before.times if before is not None else 0) + at_fault
        due = now + self._delay(count, self._longest) if at_fault else now
        self._failing[key] = _Failing(count, due, self._answers)

    def _delay(self, count: int, longest: float) -> float:
        """A delay that doubles, less up to a quarter: keys that fail together are not tried together."""
        whole = min(2.0 ** min(count - 1, 30), longest)
        return whole * (1 - 0.25 * self._chance())
