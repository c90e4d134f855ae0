"""The meaning of the end of a trading process. Pure."""

from __future__ import annotations

import signal
from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple

from execsvc.runner.report import EndKind, Snapshot

OPERATOR_WINDOW = 2.0
"""Seconds that the supervisor itself has to live on before a signal counts as an operator's request, and
within which other runners must not have been signalled as well."""
_MANY = 5
_BY_HAND = frozenset({"TERM", "INT", "USR2"})


class Meaning(Enum):
    """The reason for which a process that trades has ended."""

    ASKED = "it was asked to stop"
    OPERATOR = "an operator sent it a signal"
    FAILED = "its strategy or its ledger failed"
    REFUSED = "its configuration is refused"
    UNAVAILABLE = "its ledger cannot be read or written at present"
    CRASHED = "it was not asked to stop, whatever its exit code"


class Ending(NamedTuple):
    """A meaning, with a text for ``last_error``, and whether the position is kept."""

    meaning: Meaning
    detail: str
    keeps: bool = False


def classify(snapshot: Snapshot, code: int, *, asked: bool, killed_for: str | None) -> Ending:
    """Classify an end by the last report; the exit code only serves to describe a crash.

    ``asked``: the supervisor had asked it to stop. ``killed_for``: the reason why the supervisor killed it.
    """
    end = snapshot.end
    detail = killed_for or (end.detail if end else None) or described(code)
    if asked:
        return Ending(Meaning.ASKED, detail)
    signalled = end.signal if end and end.signal else snapshot.stopping_on
    if end is not None and end.kind is EndKind.FAILED:
        return Ending(Meaning.FAILED, detail)
    if end is not None and end.kind is EndKind.REFUSED:
        return Ending(Meaning.REFUSED, detail)
    if signalled in _BY_HAND:
        return Ending(Meaning.OPERATOR, f"ended on {signalled}", keeps=signalled == "USR2")
    if end is not None and end.kind is EndKind.UNAVAILABLE:
        return Ending(Meaning.UNAVAILABLE, detail)
    return Ending(Meaning.CRASHED, detail)


def described(code: int) -> str:
    """An exit code in words; negative codes are signals."""
    if code >= 0:
        return f"ended unexpectedly, exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


def one_of_many(mine: float, signalled_at: Iterable[float], runners: int) -> bool:
    """True when a signal was for a group, and so no operator's request for one bot.

    ``mine``: the time at which this bot was signalled. ``signalled_at``: those of all bots that were,
    this one included. ``runners``: the count of runners before.
    """
    together = sum(abs(moment - mine) <= OPERATOR_WINDOW for moment in signalled_at)
    return together >= 2 and (together >= _MANY or 2 * together > runners)
