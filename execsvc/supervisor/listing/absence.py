"""Which bots are gone from BotService: missing in two successive complete listings. Pure."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import NamedTuple


class Poll(NamedTuple):
    """What one complete listing says of the bots that it lacks.

    ``again``: ask for the second listing at once. ``gone`` is None until a poll is complete.
    """

    again: bool
    gone: frozenset[str] | None


class Absence:
    """Pairs each listing that lacks somebody with the complete one that follows it.

    A failed listing is not fed: it neither confirms nor clears anybody.
    """

    def __init__(self) -> None:
        self._missing: frozenset[str] = frozenset()

    def listed(self, ids: AbstractSet[str], known: AbstractSet[str]) -> Poll:
        """Take one complete listing of ``ids``, where the bots ``known`` were expected."""
        missing = frozenset(known) - ids
        if self._missing:
            gone, self._missing = self._missing & missing, frozenset()
            return Poll(again=False, gone=gone)
        self._missing = missing
        return Poll(again=bool(missing), gone=None if missing else frozenset())
