"""To which session of BotService the reports of a bot belong.

``POST /bots/{id}/start`` opens a session, and each start of a bot's process has a mark in its
ledger (:class:`execsvc.store.outbox.Start`); here is kept which session a mark belongs to. A process that
crashed before BotService was told leaves a mark without a session: what it ordered belongs to the
session of the next mark that has one, as BotService has been waiting for one and the same start.
A start that BotService waited for is no more of the session in which the bot was RUNNING before; any
other went on with that session, which is named where BotService does not tell for long which one is ACTIVE.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from contextlib import suppress
from datetime import datetime
from itertools import pairwise

from execsvc.clients.bot_reports import Id
from execsvc.clients.bot_sessions import BotSessions
from execsvc.clients.http import NotSent
from execsvc.clock import monotonic
from execsvc.errors import LedgerFailed, Unavailable
from execsvc.model.told import ToldOrder
from execsvc.store.outbox import Deliveries, Outboxes, Start

LOOKING = 60.0
"""Seconds for which a session is looked for that BotService does not tell.

While a stop waits for the reports of its bot it is looked for longer: the answer to the stop names it.
"""


_NO_SESSION = "null"
"""JSON of a session that does not exist, as it is kept."""


class NotYet(Exception):
    """BotService is to be told first that the bot has started."""


class Attribution:
    """Sessions of starts. ``optional``: BotService is not asked before it was of any use."""

    def __init__(self, outboxes: Outboxes, service: BotSessions, *, optional: bool = False) -> None:
        self._outboxes = outboxes
        self._service = service
        self._optional = optional
        self.deliveries: Deliveries | None = None
        """Where it is kept, once that could be opened."""
        self._booting: frozenset[str] | None = None
        """Ledgers of the bots for whose start BotService waits; None as long as nobody said it."""
        self.sessions = False
        """BotService has named one."""
        self._ending: set[str] = set()
        """Those of bots that BotService is about to be told have stopped: nothing waits for a start."""
        self._failing: dict[str, float] = {}
        """Since when the session of a bot could not be looked up."""

    def open(self, deliveries: Deliveries) -> None:
        """Keep it in ``deliveries``. Raises LedgerFailed."""
        self.deliveries = deliveries
        self.sessions = deliveries.has_sessions()

    def booting(self, bot_ids: Collection[str]) -> None:
        """By a complete listing BotService waits for the start of these bots, and of no others."""
        self._booting = frozenset(map(self._outboxes.name_of, bot_ids))

    def ending(self, bot_id: str, ends: bool) -> None:
        """BotService is about to be told that the bot has stopped, or is not any more."""
        stem = self._outboxes.name_of(bot_id)
        if ends:
            self._ending.add(stem)
        elif stem in self._ending:
            self._ending.discard(stem)
            self._failing.pop(
                stem, None
            )  # without an ACTIVE session one would be opened for a report

    def begun(self, bot_id: str, session: Id | None) -> None:
        """BotService has opened ``session`` for the latest start of the bot."""
        if session is not None:
            self._keep(self._outboxes.name_of(bot_id), session, replace=True)

    def ended(self, bot_id: str, session: Id | None) -> None:
        """BotService has ended ``session``, in which the latest start of the bot was."""
        if session is not None:
            self._keep(self._outboxes.name_of(bot_id), session, replace=False)

    def look_again(self, bot_id: str) -> None:
        """Keep the ACTIVE session of a bot that runs by its row, as if BotService had answered so."""
        self.begun(bot_id, self._service.of(bot_id))

    def session(self, stem: str, told: ToldOrder, order_id: str) -> Id | None:
        """The session that an order belongs to, None where there is none.

        Raises NotYet, Unavailable, LedgerFailed.
        """
        deliveries = self._open
        starts = _of_one_session(self._outboxes.starts_since(stem, order_id))
        keys = [start.start_id for start in starts]
        for key in keys:
            known = deliveries.session(stem, key)
            if known is not None:
                found: Id | None = json.loads(known)
                return found
        if starts[-1].booting and self._starts(stem):
            raise NotYet
        if self._optional and not deliveries.is_of_use():
            return None
        try:
            session = self._looked_up(stem, told, late=not any(start.booting for start in starts))
        except NotSent:
            raise  # nobody is there: no report would be taken either
        except Unavailable:
            if monotonic() < self._failing[stem] + LOOKING:
                raise
            before = self._before(stem, starts[0])
            if before is None and stem in self._ending:
                raise
            return before  # it is looked for again at the next order
        deliveries.keep_session(stem, keys[-1], json.dumps(session))
        return session

    def lost(self, stem: str, session: Id) -> None:
        """BotService does not know ``session`` any more, as after its database was restored.

        Raises LedgerFailed.
        """
        self._open.forget_session(stem, json.dumps(session))

    def find(self, session: Id | None, told: ToldOrder) -> Id | None:
        """The id of an order that may have been taken before; None when BotService lacks it."""
        place = session
        if place is None and not (self._optional and not self._open.is_of_use()):
            place = self._service.of(told.bot_id)
        return None if place is None else self._service.find(place, told)

    def _starts(self, stem: str) -> bool:
        return stem not in self._ending and (self._booting is None or stem in self._booting)

    def _looked_up(self, stem: str, told: ToldOrder, *, late: bool) -> Id | None:
        try:
            at = datetime.fromisoformat(told.timestamp.replace("Z", "+00:00"))
            session = self._service.of(told.bot_id, at, late=late)
        except NotSent:
            self._failing.pop(stem, None)
            raise
        except Unavailable:
            self._failing.setdefault(stem, monotonic())
            raise
        self._failing.pop(stem, None)
        return session

    def _before(self, stem: str, start: Start) -> Id | None:
        """The session that ``start`` went on with; None when that is not known."""
        if start.booting:
            return None
        for earlier in self._outboxes.starts_before(stem, start):
            known = self._open.session(stem, earlier.start_id)
            if known not in (None, _NO_SESSION):
                found: Id = json.loads(known)
                return found
            if earlier.booting:
                break
        return None

    def _keep(self, stem: str, session: Id, *, replace: bool) -> None:
        """What cannot be kept is looked up when it is needed."""
        with suppress(LedgerFailed):
            start = self._outboxes.newest_start(stem)
            key = "" if start is None else start.start_id
            # A session that was looked for in vain may have been opened since, by an order of no session.
            if replace or self._open.session(stem, key) in (None, _NO_SESSION):
                self._open.keep_session(stem, key, json.dumps(session))
                self.sessions = True

    @property
    def _open(self) -> Deliveries:
        if self.deliveries is None:
            raise LedgerFailed("reports.db is not open")
        return self.deliveries


def _of_one_session(starts: list[Start]) -> list[Start]:
    """The first of ``starts`` and those that went on with its session: no later one of a user."""
    for place, (before, after) in enumerate(pairwise(starts), 1):
        if after.booting and not before.booting:
            return starts[:place]
    return starts
