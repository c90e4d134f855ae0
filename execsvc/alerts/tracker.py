"""The conditions of which an alert is due: each once, and once more when it is over.

A condition is reported fast and never withheld, its end slowly: a condition that comes and goes has
to be away for ten minutes before it is reported to be over, so that a flood is impossible and no
message reports an end while the condition is back. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from execsvc.model.condition import Condition, Kind

CALM = 10.0
"""Seconds for which a condition is away before it is over."""
UNSTEADY = 600.0
"""The same for one that came back within so many seconds after it was reported to be over."""
SETTLING = 90.0
"""The same for one that was reported before the service was started again: bots have to start
first.
"""
GATHER = 3.0
"""Seconds over which news of one kind is gathered into one message."""
PAUSE = 30.0
"""Seconds between two messages of one kind, at least: news in between go into one message."""
NEVER_OVER = frozenset({Kind.ABANDONED, Kind.GIVEN_BACK})
"""Kinds of single events: their end is not reported."""
REMINDED = frozenset({Kind.LIQUIDATION})
"""Kinds that are reported again from time to time while they stand."""


class Change(str, Enum):
    """The change of a condition."""

    BEGUN = "begun"
    STILL = "still"
    OVER = "over"


class EarlierAlert(NamedTuple):
    """A condition reported before this start; not ``sure``: its alert may or may not have arrived."""

    kind: Kind
    line: str
    sure: bool = True


class Item(NamedTuple):
    """One condition in a message; ``times``: the number of its recent begins."""

    key: str
    line: str
    times: int = 1


class News(NamedTuple):
    """One message: conditions of one kind with the same change."""

    change: Change
    kind: Kind
    items: list[Item]


@dataclass
class _Case:
    kind: Kind
    line: str
    since: float
    calm: float
    times: int = 1
    sent_at: float | None = None
    perhaps_sent: bool = False
    away_since: float | None = None


@dataclass
class _Gate:
    """The gathering of news of one sort, which go out together."""

    waits_since: float | None = None
    opened_at: float = field(default=-math.inf)

    def opens(self, now: float, waiting: bool) -> bool:
        if not waiting:
            self.waits_since = None
            return False
        if self.waits_since is None:
            self.waits_since = now
        if now < max(self.waits_since + GATHER, self.opened_at + PAUSE):
            return False
        self.waits_since, self.opened_at = None, now
        return True


class AlertTracker:
    """The conditions by the alerts about each.

    Moments are seconds of the loop's clock. ``sent``: conditions reported before this start of the
    service, by their key.
    """

    def __init__(self, sent: Mapping[str, EarlierAlert], now: float) -> None:
        self._cases = {
            key: _Case(
                earlier.kind,
                earlier.line,
                now,
                SETTLING,
                sent_at=now if earlier.sure else None,
                perhaps_sent=not earlier.sure,
            )
            for key, earlier in sent.items()
        }
        self._over: dict[str, tuple[float, int]] = {}
        """The moment at which it was reported to be over, and the number of its begins by then."""
        self._gates: dict[tuple[Change, Kind], _Gate] = {}

    def update(
        self,
        now: float,
        conditions: Collection[Condition],
        judged: Collection[Kind],
        patience: Mapping[Kind, float],
        reminder: float,
    ) -> list[News]:
        """The news to be sent now.

        ``judged``: the kinds that ``conditions`` are complete for at present. ``patience``: seconds
        for which one has to stand. ``reminder``: seconds between two reminders, 0 for none.
        """
        self._forget(now)
        for condition in conditions:
            self._note_present(now, condition)
        present = {condition.key for condition in conditions}
        for key, case in list(self._cases.items()):
            if key not in present and case.kind in judged:
                self._note_absent(now, key, case)
        news = []
        for kind in self._concerned():
            for items in (
                self._begun(now, kind, patience.get(kind, 0.0)),
                self._ended(now, kind),
                self._reminders(now, kind, reminder),
            ):
                news += items
        return news

    def _concerned(self) -> list[Kind]:
        """The kinds of all conditions known, and of news that waits: most seconds there are none."""
        found = {case.kind for case in self._cases.values()}
        found |= {kind for (_, kind), gate in self._gates.items() if gate.waits_since is not None}
        return [kind for kind in Kind if kind in found]

    def _note_present(self, now: float, condition: Condition) -> None:
        case = self._cases.get(condition.key)
        if case is not None:
            case.line, case.away_since = condition.line, None
            return
        _, times = self._over.get(condition.key, (now, 0))
        calm = UNSTEADY if times else CALM
        self._cases[condition.key] = _Case(condition.kind, condition.line, now, calm, times + 1)

    def _note_absent(self, now: float, key: str, case: _Case) -> None:
        if case.sent_at is None and not case.perhaps_sent:
            del self._cases[key]  # it was over before its alert was due
        elif case.away_since is None:
            case.away_since = now

    def _begun(self, now: float, kind: Kind, patience: float) -> list[News]:
        ready = {
            key: case
            for key, case in self._of(kind).items()
            if case.sent_at is None and case.away_since is None and now >= case.since + patience
        }
        return self._gathered(now, Change.BEGUN, kind, ready)

    def _ended(self, now: float, kind: Kind) -> list[News]:
        ready = {
            key: case
            for key, case in self._of(kind).items()
            if case.away_since is not None and now >= case.away_since + case.calm
        }
        silent = kind in NEVER_OVER
        news = [] if silent else self._gathered(now, Change.OVER, kind, ready)
        if news or silent:
            for key, case in ready.items():
                del self._cases[key]
                self._over[key] = now, case.times
        return news

    def _reminders(self, now: float, kind: Kind, reminder: float) -> list[News]:
        if kind not in REMINDED or not reminder:
            return []
        stands = {
            key: case
            for key, case in self._of(kind).items()
            if case.sent_at is not None and case.away_since is None
        }
        due = any(
            case.sent_at is not None and now >= case.sent_at + reminder for case in stands.values()
        )
        return self._gathered(now, Change.STILL, kind, stands if due else {})

    def _gathered(
        self, now: float, change: Change, kind: Kind, cases: dict[str, _Case]
    ) -> list[News]:
        gate = self._gates.setdefault((change, kind), _Gate())
        if not gate.opens(now, bool(cases)):
            return []
        for case in cases.values():
            case.sent_at = now
        items = [Item(key, case.line, case.times) for key, case in cases.items()]
        return [News(change, kind, items)]

    def _of(self, kind: Kind) -> dict[str, _Case]:
        return {key: case for key, case in self._cases.items() if case.kind is kind}

    def _forget(self, now: float) -> None:
        self._over = {
            key: (at, times) for key, (at, times) in self._over.items() if now < at + UNSTEADY
        }
