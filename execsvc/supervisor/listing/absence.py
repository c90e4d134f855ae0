"""The bots that listings lack: a second listing confirms, and a stop of most bots is held back. Pure."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import NamedTuple


class PollResult(NamedTuple):
    """The result of one complete listing for the bots that it lacks.

    ``again``: ask for the second listing at once. ``gone`` is None until a poll is complete.
    """

    again: bool
    gone: frozenset[str] | None


class Absence:
    """Pairs each listing that lacks a known bot with the complete one that follows it.

    A failed listing is not passed to this class: it neither confirms nor clears an absence.
    """

    def __init__(self) -> None:
        self._missing: frozenset[str] = frozenset()

    def listed(self, ids: AbstractSet[str], known: AbstractSet[str]) -> PollResult:
        """Take one complete listing of ``ids``, where the bots ``known`` were expected."""
        missing = frozenset(known) - ids
        if self._missing:
            gone, self._missing = self._missing & missing, frozenset()
            return PollResult(again=False, gone=gone)
        self._missing = missing
        return PollResult(again=bool(missing), gone=None if missing else frozenset())


class Pending(NamedTuple):
    """A mass stop that waits for more polls with the same result."""

    bots: int
    """Count of the bots that all of the polls so far lack."""
    of: int
    """Count of the bots that have a runner or an open position."""
    polls: int
    needed: int


class MassStopGuard:
    """Lets a set of gone bots through, unless it is more than half of all and at least ``threshold``.

    A set so large goes through once ``confirmations`` successive polls had one as large, of the same
    bots or of others; then the bots are stopped that all of the polls lacked.
    """

    def __init__(self, threshold: int, confirmations: int) -> None:
        self._threshold = threshold
        self._confirmations = confirmations
        self._lacked_by_all: frozenset[str] = frozenset()
        self.pending: Pending | None = None

    def confirmed(self, gone: AbstractSet[str], population: AbstractSet[str]) -> frozenset[str]:
        """The bots of ``gone`` that are to be stopped after this poll.

        ``population``: the bots that have a runner or an open position. While a mass stop waits,
        the others stay as well: a HELD bot that is flat must not lose its state to a wiped database.
        """
        at_stake = gone & population
        if len(at_stake) < self._threshold or 2 * len(at_stake) <= len(population):
            self._reset()
            return frozenset(gone)
        polls = self.pending.polls + 1 if self.pending else 1
        self._lacked_by_all = self._lacked_by_all & gone if self.pending else frozenset(gone)
        if polls < self._confirmations:
            bots = len(self._lacked_by_all & population)
            self.pending = Pending(bots, len(population), polls, self._confirmations)
            return frozenset()
        agreed = self._lacked_by_all
        self._reset()
        return agreed

    def _reset(self) -> None:
        self._lacked_by_all = frozenset()
        self.pending = None
