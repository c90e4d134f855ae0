"""Reports of starts and stops of bots to BotService, for which its front end waits."""

from __future__ import annotations

from typing import Literal, NamedTuple, Protocol

from execsvc.clients.bot_reports import BotReports, Id, ReportRefused
from execsvc.clients.bot_service import RUNNING, STOPPED
from execsvc.clients.bot_sessions import BotSessions
from execsvc.clients.http import NotSent
from execsvc.clock import monotonic
from execsvc.errors import Unavailable
from execsvc.events import EventName
from execsvc.repeats import Repeats
from execsvc.reporting.backoff import Backoff
from execsvc.reporting.names import BotNames

LONGEST_DELAY = 10.0
"""Seconds between two tries for one bot, at most: a user waits at the front end."""
SHORTEST_BELIEF = 5.0
"""Seconds, at least, for which a listing may still show the status from before a report."""

RESEND_AFTER = 5.0
"""Seconds for which BotService may still carry out a start that it has not answered."""
REPORTS_FIRST = 60.0
"""Seconds for which a stop waits for the reports of orders of its bot, at most."""
STOP_IS_OVER = 600.0
"""Seconds after which a stop that is asked for again is another one."""

ReportKind = Literal["start", "stop"]


class _DueReport(NamedTuple):
    kind: ReportKind
    status: str
    """The status of the row that waits for the report."""
    at: float


class _Stop(NamedTuple):
    """The time since which a stop is due: listings may be rare, or lack its row for a while."""

    since: float
    requested: float
    """The time of the last request for the stop."""


class OrderReports(Protocol):
    """The reports of a bot's orders, which belong between its start and its stop."""

    def waits(self, bot_id: str) -> bool:
        """True while reports of the bot wait that BotService may take."""
        ...

    def ending(self, bot_id: str, ends: bool) -> None:
        """Note that a stop of the bot is about to be reported, or with ``ends`` False that it is not."""
        ...

    def starting(self, bot_id: str) -> float:
        """Note that a start of the bot is about to be reported to BotService.

        Returns the seconds [s] for which BotService may still carry out such a report of an earlier
        process that was not answered; no start is to be reported before these have passed.
        """
        ...

    def not_started(self, bot_id: str) -> None:
        """Note that BotService has not taken the report of the start."""
        ...

    def begun(self, bot_id: str, session: Id | None) -> None:
        """Take the ``session`` that BotService has opened for the bot."""
        ...

    def ended(self, bot_id: str, session: Id | None) -> None:
        """Take the ``session`` of the bot that BotService has ended."""
        ...

    def look_up_session(self, bot_id: str) -> None:
        """Look up the session of a bot whose start was carried out, but not answered. Raises Unavailable."""
        ...

    def row_stopped(self, bot_id: str) -> None:
        """Take note that by an answer of BotService just now the bot's row is STOPPED."""
        ...


class Lifecycle:
    """Reports, for each bot, the start or stop that was requested last, and only while that is recent.

    The supervisor repeats its request at each listing until one shows the new status; a start or stop
    that is not requested any more must not be reported, as the user may have changed his mind. Each
    report of a start opens a session: the row is read before the report, which is made only if the row
    waits for it.
    """

    def __init__(
        self,
        service: BotReports,
        sessions: BotSessions,
        reports: OrderReports,
        backoff: Backoff,
        interval: float,
        names: BotNames,
    ) -> None:
        self._service = service
        self._sessions = sessions
        self._reports = reports
        self._backoff = backoff
        self._names = names
        self._belief = max(2 * interval, SHORTEST_BELIEF)
        self._requested: dict[str, _DueReport] = {}
        self._reported: dict[str, _DueReport] = {}
        self._stopping: dict[str, _Stop] = {}
        """Stops that were requested and neither reported nor withdrawn, by bot."""
        self._unanswered: dict[str, float] = {}
        """The times until which starts without an answer may still be carried out, by bot."""
        self._repeats = Repeats()

    def request(self, bot_id: str, kind: ReportKind, status: str) -> None:
        """Request the report ``kind`` for a bot whose row has ``status`` by the latest listing."""
        now, last = monotonic(), self._reported.get(bot_id)
        if last is not None and last.kind == kind and now < last.at + self._belief:
            return
        self._requested[bot_id] = _DueReport(kind, status, now)
        if kind == "stop":
            before = self._stopping.get(bot_id)
            same = before is not None and now < before.requested + STOP_IS_OVER
            self._stopping[bot_id] = _Stop(before.since if before and same else now, now)
            self._reports.ending(bot_id, True)
        else:
            self._forget_stop(bot_id)

    def withdraw(self, bot_id: str) -> None:
        """Drop the report that is due for the bot: BotService waits for another one by now, or for none."""
        self._requested.pop(bot_id, None)
        self._forget_stop(bot_id)

    def next_moment(self) -> float:
        """The time at which :meth:`step` may have work; infinity when no report is due."""
        return min(map(self._due, self._requested), default=float("inf"))

    def step(self) -> bool:
        """Make one report; False when there is none to make now."""
        now = monotonic()
        for reports in (self._requested, self._reported):
            for bot_id in [
                key for key, report in reports.items() if now >= report.at + self._belief
            ]:
                del reports[bot_id]
                if reports is self._requested and bot_id in self._stopping:
                    self._reports.ending(bot_id, False)
        for bot_id, report in self._requested.items():
            if self._due(bot_id) <= now:
                del self._requested[bot_id]
                self._report(bot_id, report)
                return True
        return False

    def _due(self, bot_id: str) -> float:
        due = self._backoff.due(bot_id)
        if self._requested[bot_id].kind == "start":
            return max(due, self._unanswered.get(bot_id, due))
        if self._reports.waits(bot_id):
            return max(due, self._stopping[bot_id].since + REPORTS_FIRST)
        return due

    def _forget_stop(self, bot_id: str) -> None:
        if self._stopping.pop(bot_id, None) is not None:
            self._reports.ending(bot_id, False)

    def _report(self, bot_id: str, report: _DueReport) -> None:
        try:
            if not self._is_waited_for(bot_id, report):
                return
            if report.kind == "start":
                if not self._start(bot_id):
                    return  # the next listing leads to another request
            else:
                self._reports.ended(bot_id, self._service.stopped(bot_id))
                self._reports.row_stopped(bot_id)
        except Unavailable as error:
            self._failed(bot_id, report.kind, error)
            return
        self._backoff.succeeded(bot_id)
        self._repeats.forget(bot_id)
        self._forget_stop(bot_id)
        self._reported[bot_id] = report._replace(at=monotonic())
        event: EventName = "bot_start_told" if report.kind == "start" else "bot_stop_told"
        self._names.log(bot_id).bind(event=event).info("BotService was told: {}", report.kind)

    def _is_waited_for(self, bot_id: str, report: _DueReport) -> bool:
        """False when the row has another status by now, from another program or an earlier report."""
        status = self._sessions.status(bot_id)
        if status in (None, report.status):
            return True
        if report.kind == "start" and status == RUNNING:
            self._reports.look_up_session(bot_id)
            self._unanswered.pop(bot_id, None)
            self._reported[bot_id] = report._replace(at=monotonic())
        elif status == STOPPED:
            self._forget_stop(bot_id)
            self._reports.row_stopped(bot_id)
        return False

    def _start(self, bot_id: str) -> bool:
        """Send the start; False when an earlier one may still be carried out, and none is sent."""
        left = self._reports.starting(bot_id)
        # Noted before the start is sent: after an interruption it is unknown whether it was carried out.
        self._unanswered[bot_id] = monotonic() + (left or RESEND_AFTER)
        if left:
            return False
        try:
            session = self._service.started(bot_id)
        except (ReportRefused, NotSent):
            self._unanswered.pop(bot_id)
            self._reports.not_started(bot_id)
            raise
        except Unavailable:
            self._unanswered[bot_id] = monotonic() + RESEND_AFTER
            raise
        self._unanswered.pop(bot_id)
        self._reports.begun(bot_id, session)
        return True

    def _failed(self, bot_id: str, kind: ReportKind, error: Unavailable) -> None:
        if isinstance(error, ReportRefused):
            self._backoff.refused(bot_id, monotonic())
        else:
            self._backoff.unanswered(bot_id, monotonic(), error.retry_after)
        if self._repeats.note(bot_id, monotonic()) is not None:
            self._names.log(bot_id).bind(event="bot_word_failed").warning(
                "BotService was not told: {}, it is tried again while it waits for it: {}",
                kind,
                error,
            )
