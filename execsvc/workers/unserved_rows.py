"""Rows of BotService that wait in vain, as EXECSVC_BOT_LIFECYCLE is false: logged once."""

from __future__ import annotations

import math

from loguru import logger

from execsvc.clients.bot_service import BotService

INTERVAL = 60.0
"""Seconds between two queries, and until the first one. A row that waits at two of them waits in vain:
another program may start and stop bots, and needs less time."""


class UnservedRows:
    """Queries the rows once in INTERVAL, until it has logged some that wait in vain."""

    def __init__(self, service: BotService, now: float) -> None:
        """Query first after INTERVAL. ``now`` is of the same clock as in :meth:`check`, in seconds."""
        self._service = service
        self._due = now + INTERVAL
        self._waiting: dict[str, frozenset[str]] = {}
        """The bots by the status in which they waited at the latest query."""

    def check(self, now: float) -> None:
        """Query the rows that wait, if that is due. Raises Unavailable; the listing is good all the same."""
        if now < self._due:
            return
        before, self._waiting = self._waiting, self._service.waiting()
        self._due = now + INTERVAL
        still = {key: ids & before.get(key, frozenset()) for key, ids in self._waiting.items()}
        found = [f"{len(ids)} {status}" for status, ids in still.items() if ids]
        if found:
            self._due = math.inf
            logger.bind(event="rows_wait_in_vain").warning(
                "BotService has {} that wait in vain: EXECSVC_BOT_LIFECYCLE is false, by which no bot "
                "is started or stopped for its front end",
                " and ".join(found),
            )
