"""The bots that are gone from BotService: missing in two successive complete listings. Pure."""

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
