"""The assignment of the reports of a bot to the sessions of BotService.

``POST /bots/{id}/start`` opens a session, and each start of a bot's process has a mark in its
ledger (:class:`execsvc.store.outbox.Start`); this module keeps the session of each mark. A process that
crashed before its start was reported leaves a mark without a session: its orders belong to the
session of the next mark that has one, as BotService has been waiting for one and the same start.
A start that BotService waited for does not belong to the session in which the bot was RUNNING before;
any other start went on with that session, which is used where BotService does not name the ACTIVE one
for long.
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
from execsvc.model.order_report import OrderReport
from execsvc.store.outbox import Deliveries, Outboxes, Start

LOOK_UP_TIME = 60.0
"""Seconds for which a session is looked up that BotService does not name.

While a stop waits for the reports of its bot the look-ups go on longer: the answer to the stop names
the session.
"""


_NO_SESSION = "null"
"""The kept JSON of a session that does not exist."""


class NotYet(Exception):
    """The start of the bot is to be reported to BotService first."""


class Attribution:
    """Sessions of starts. ``optional``: no query before BotService took a report or named a session."""

    def __init__(self, outboxes: Outboxes, service: BotSessions, *, optional: bool = False) -> None:
        self._outboxes = outboxes
        self._service = service
        self._optional = optional
        self.deliveries: Deliveries | None = None
        """The record of the sessions, once it could be opened."""
        self._booting: frozenset[str] | None = None
        """Ledgers of the bots for whose start BotService waits; None before the supervisor has named them."""
        self.sessions = False
        """True once BotService has named a session."""
        self._ending: set[str] = set()
        """Ledgers of bots whose stop is about to be reported: their orders wait for no start."""
        self._failing: dict[str, float] = {}
        """The time since which the session of a bot could not be looked up, by the stem of its ledger."""

    def open(self, deliveries: Deliveries) -> None:
        """Keep the sessions in ``deliveries``. Raises LedgerFailed."""
        self.deliveries = deliveries
        self.sessions = deliveries.has_sessions()

    def booting(self, bot_ids: Collection[str]) -> None:
        """Take the bots for whose start, by a complete listing, BotService waits; it waits for no others."""
        self._booting = frozenset(map(self._outboxes.name_of, bot_ids))

    def ending(self, bot_id: str, ends: bool) -> None:
        """Note that a stop of the bot is about to be reported, or with ``ends`` False that it is not."""
        stem = self._outboxes.name_of(bot_id)
        if ends:
            self._ending.add(stem)
        elif stem in self._ending:
            self._ending.discard(stem)
            self._failing.pop(stem, None)  # without an ACTIVE session a report would open one

    def begun(self, bot_id: str, session: Id | None) -> None:
        """Take the ``session`` that BotService has opened for the latest start of the bot."""
        if session is not None:
            self._keep(self._outboxes.name_of(bot_id), session, replace=True)

    def ended(self, bot_id: str, session: Id | None) -> None:
        """Take the ``session`` of the latest start of the bot, which BotService has ended."""
        if session is not None:
            self._keep(self._outboxes.name_of(bot_id), session, replace=False)

    def look_up_session(self, bot_id: str) -> None:
        """Look up and keep the ACTIVE session of a bot whose row is RUNNING, for an answer that was lost."""
        self.begun(bot_id, self._service.of(bot_id))

    def session(self, stem: str, order: OrderReport, order_id: str) -> Id | None:
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
            session = self._looked_up(stem, order, late=not any(start.booting for start in starts))
        except NotSent:
            raise  # BotService cannot be reached: it would take no report either
        except Unavailable:
            if monotonic() < self._failing[stem] + LOOK_UP_TIME:
                raise
            before = self._before(stem, starts[0])
            if before is None and stem in self._ending:
                raise
            return before  # the next order looks the session up again
        deliveries.keep_session(stem, keys[-1], json.dumps(session))
        return session

    def lost(self, stem: str, session: Id) -> None:
        """Forget ``session``, which BotService does not know any more, as after a restore of its database.

        Raises LedgerFailed.
        """
        self._open.forget_session(stem, json.dumps(session))

    def find(self, session: Id | None, order: OrderReport) -> Id | None:
        """The id of an order that may have been taken before; None when BotService lacks it."""
        place = session
        if place is None and not (self._optional and not self._open.is_of_use()):
            place = self._service.of(order.bot_id)
        return None if place is None else self._service.find(place, order)

    def _starts(self, stem: str) -> bool:
        return stem not in self._ending and (self._booting is None or stem in self._booting)

    def _looked_up(self, stem: str, order: OrderReport, *, late: bool) -> Id | None:
        try:
            at = datetime.fromisoformat(order.timestamp.replace("Z", "+00:00"))
            session = self._service.of(order.bot_id, at, late=late)
        except NotSent:
            self._failing.pop(stem, None)
            raise
        except Unavailable:
            self._failing.setdefault(stem, monotonic())
            raise
        self._failing.pop(stem, None)
        return session

    def _before(self, stem: str, start: Start) -> Id | None:
        """The session that ``start`` went on with; None when it is not known."""
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
        """Keep the session of the latest start; one that cannot be kept is looked up when it is needed."""
        with suppress(LedgerFailed):
            start = self._outboxes.newest_start(stem)
            key = "" if start is None else start.start_id
            # A session that was not found may have been opened since, by an order without a session.
            if replace or self._open.session(stem, key) in (None, _NO_SESSION):
                self._open.keep_session(stem, key, json.dumps(session))
                self.sessions = True

    @property
    def _open(self) -> Deliveries:
        if self.deliveries is None:
            raise LedgerFailed("the record of deliveries is not open")
        return self.deliveries


def _of_one_session(starts: list[Start]) -> list[Start]:
    """The first of ``starts`` and those that went on with its session, up to the next start by a user."""
    for place, (before, after) in enumerate(pairwise(starts), 1):
        if after.booting and not before.booting:
            return starts[:place]
    return starts
