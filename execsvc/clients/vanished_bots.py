"""BotService: bots that were RUNNING and are not listed any more, while BOOTING bots cannot be
listed.

Its editor saves a row with the status that it was loaded with, so that a bot which runs may be
BOOTING again. Where BotService does not answer which bots are, each row is asked for by itself.
"""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Set as AbstractSet
from typing import Any

from execsvc.clients.http import HttpClient, segment
from execsvc.clock import monotonic
from execsvc.errors import NotFound, Unavailable

MOST = 5
"""The most bots that are looked up when they vanish at once.

More may be a database wiped or restored, and their rows would say as little about that as the
listing does.
"""


class VanishedBots:
    """The bots that were RUNNING, from one listing to the next, and the rows of those that
    vanished.
    """

    def __init__(self, http: HttpClient, statuses: Collection[str]) -> None:
        """``statuses``: those of bots that are to run or to stop."""
        self._http = http
        self._statuses = statuses
        self._ran: set[str] = set()
        self.ended: set[str] = set()
        """Bots whose own row says that they are not to run, or that BotService does not know."""

    def all_listed(self, running: AbstractSet[str]) -> None:
        """Take over a listing of every bot; ``running`` are RUNNING."""
        self._ran, self.ended = set(running), set()

    def find_rows(
        self, running: AbstractSet[str], listed: AbstractSet[str], within: float
    ) -> list[dict[str, Any]]:
        """The rows of bots that were RUNNING and are to run or to stop, by what each row says now.

        The listing has ``listed``, of which those that are RUNNING are ``running``. All of them may
        take ``within`` seconds; what cannot be had now is asked for at the next listing.
        """
        self.ended -= listed
        vanished = self._ran - listed - self.ended
        self._ran |= running
        found: list[dict[str, Any]] = []
        until = monotonic() + within
        for bot_id in sorted(vanished) if len(vanished) <= MOST else ():
            left = until - monotonic()
            if left <= 0:
                break
            try:
                row = self._http.get_within(left, "GET /bots/{id}", f"/bots/{segment(bot_id)}", {})
            except NotFound:
                self.ended.add(bot_id)
            except Unavailable:
                continue
            else:
                if isinstance(row, dict) and row.get("id") == bot_id:
                    self._take(bot_id, row, found)
        return found

    def _take(self, bot_id: str, row: dict[str, Any], found: list[dict[str, Any]]) -> None:
        if row.get("status") in self._statuses:
            found.append(row)
            self._ran.discard(bot_id)
        else:
            self.ended.add(bot_id)
