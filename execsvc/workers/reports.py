"""The worker that reports orders, starts and stops to BotService.

It takes requests (:class:`ReportRequest`) and shows its state (:class:`ReportState`), each a JSON line. The
end of the requests means that the service stops: the reports that wait may still be delivered, until the
process is killed.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from loguru import logger
from pydantic import BaseModel, ConfigDict, ValidationError

from execsvc.clients.bot_reports import BotReports, Id
from execsvc.clients.bot_sessions import BotSessions
from execsvc.clients.service_http import bot_service_http
from execsvc.clock import iso, monotonic, now
from execsvc.errors import LedgerBusy, LedgerFailed, LedgerUnavailable
from execsvc.repeats import Repeats
from execsvc.reporting import lifecycle
from execsvc.reporting.attribution import Attribution
from execsvc.reporting.backoff import Backoff
from execsvc.reporting.lifecycle import Lifecycle
from execsvc.reporting.names import BotNames
from execsvc.reporting.outbox_sender import LONGEST_DELAY, OutboxSender
from execsvc.settings import Settings, Switch
from execsvc.store.opening import open_store
from execsvc.store.outbox import Deliveries
from execsvc.workers.channel import Channel, Pipes
from execsvc.workers.main_loop import run_worker

SWEEP = 60.0
"""Seconds between two checks of all ledgers, for reports without a request."""
RETRY = 5.0
"""Seconds until a file of this process that failed is tried again."""
_LONGEST_ERROR = 500


class ReportRequest(BaseModel):
    """One line to this worker: look at a bot's ledger, or report that a bot started or stopped.

    A ``bot_id`` without a report withdraws the report that is due for the bot. ``booting`` names one bot
    for whose start BotService waits, ``complete`` says that all of them were named.
    """

    changed: str | None = None
    """The id of the bot whose ledger has something new."""
    name: str | None = None
    """The name of the bot of this request, where the name says more than the id."""
    bot_id: str | None = None
    report: lifecycle.ReportKind | None = None
    status: str = ""
    """The status of the bot's row that waits for the report."""
    anew: bool = False
    """True when the bots for whose start BotService waits are about to be named."""
    booting: str | None = None
    complete: bool = False


class ReportState(BaseModel):
    """One line of this worker: the state of its reports."""

    model_config = ConfigDict(frozen=True)

    taken: bool | None = None
    """True when BotService takes reports, False when not, None as long as none was tried."""
    sessions: bool = False
    """True once BotService has named a session."""
    pending: int = 0
    last_delivered_at: str | None = None
    consecutive_failures: int = 0
    last_error: str | None = None
    stopped: str | None = None
    """The id of a bot whose row is STOPPED, by an answer of BotService; the line says nothing else then."""
    stopped_at: float = 0.0
    """The time at which that answer came, by the monotonic clock."""


def run_reports(settings: Settings, pipes: Pipes) -> int:
    """Run the worker until the supervisor is gone, or stops and no report is left. Returns the exit code."""

    def make(channel: Channel) -> ReportingWorker:
        http = bot_service_http(settings, channel.heartbeat)
        return ReportingWorker(settings, BotReports(http), BotSessions(http), channel)

    return run_worker(settings, "reports", pipes, make)


class ReportingWorker:
    """The work of the process: reports, starts and stops, one step after the other."""

    def __init__(
        self, settings: Settings, service: BotReports, sessions: BotSessions, channel: Channel
    ) -> None:
        self._settings = settings
        self._service = service
        self._channel = channel
        optional = settings.report_ledger is Switch.AUTO
        self._store = open_store(settings)
        self._attribution = Attribution(self._store.outboxes(), sessions, optional=optional)
        self._names = BotNames(self._store.name_of)
        self._lifecycle = Lifecycle(
            service,
            sessions,
            self,
            Backoff(lifecycle.LONGEST_DELAY),
            settings.poll_interval,
            self._names,
        )
        self._booting: set[str] = set()
        self._deliveries = self._store.deliveries()
        self._unanswered: dict[str, datetime] = {}
        """The times at which an earlier process sent starts without an answer, by bot."""
        self._sender: OutboxSender | None = None
        self._fault: str | None = None
        self._damaged = False
        """True when no report can be made until an operator repairs the file of the deliveries."""
        self._repeats = Repeats()
        self._due = float("inf") if settings.report_ledger is Switch.OFF else monotonic()
        """The time from which reports may be made; infinity when they are off."""
        self._sweep_at = self._due

    def step(self) -> float | None:
        """Make one report if one is due; returns the time of the next step.

        None when the service stops and nothing is left to do.
        """
        for line in self._channel.requests():
            request = _read(line)
            if request is not None:
                self._handle(request)
        worked = self._lifecycle.step() or self._reports()
        self._channel.show(self._state().model_dump_json().encode() + b"\n")
        if worked:
            return monotonic()
        moment = min(self._lifecycle.next_moment(), self._next_report())
        if self._channel.finishing and moment == float("inf"):
            return None
        # While a file of this process fails there is no sweep: a wait for one would be a busy loop.
        return min(moment, max(self._sweep_at, self._due))

    def _handle(self, request: ReportRequest) -> None:
        for bot_id in (request.changed, request.bot_id if request.report is not None else None):
            if bot_id is not None:
                self._names.learn(bot_id, request.name)
        if request.changed is not None and self._sender is not None:
            self._sender.mark_changed(self._store.name_of(request.changed))
        if request.anew:
            self._booting.clear()
        if request.booting is not None:
            self._booting.add(request.booting)
        if request.complete:
            self._attribution.booting(self._booting)
        if request.bot_id is not None and request.report is not None:
            if request.report == "stop" and self._sender is not None:
                self._sender.mark_changed(self._store.name_of(request.bot_id))
            self._lifecycle.request(request.bot_id, request.report, request.status)
        elif request.bot_id is not None:
            self._lifecycle.withdraw(request.bot_id)

    def waits(self, bot_id: str) -> bool:
        """True while reports of the bot wait that BotService may take."""
        if self._settings.report_ledger is Switch.OFF or self._damaged:
            return False
        return self._sender is None or self._sender.waits(self._store.name_of(bot_id))

    def ending(self, bot_id: str, ends: bool) -> None:
        """Note that a stop of the bot is about to be reported, or with ``ends`` False that it is not."""
        self._attribution.ending(bot_id, ends)
        self._go_on(bot_id)

    def starting(self, bot_id: str) -> float:
        """Note that a start of the bot is about to be reported to BotService.

        Returns the seconds [s] for which BotService may still carry out such a report of an earlier
        process that was not answered.
        """
        if self._sender is None and monotonic() >= self._due:
            with suppress(LedgerFailed):
                self._opened()
        before = self._unanswered.pop(bot_id, None)
        if before is not None:
            longest = self._settings.request_timeout + lifecycle.RESEND_AFTER
            left = longest - (now() - before).total_seconds()
            if left > 0:
                return min(left, longest)  # the wall clock may have been set back
        self._note(lambda kept: kept.starting(bot_id, now()))
        return 0.0

    def not_started(self, bot_id: str) -> None:
        """Note that BotService has not taken the report of the start."""
        self._note(lambda kept: kept.start_answered(bot_id))

    def begun(self, bot_id: str, session: Id | None) -> None:
        """Take the ``session`` that BotService has opened for the bot."""
        self._attribution.begun(bot_id, session)
        self._note(lambda kept: kept.start_answered(bot_id))
        self._go_on(bot_id)

    def ended(self, bot_id: str, session: Id | None) -> None:
        """Take the ``session`` of the bot that BotService has ended."""
        self._attribution.ended(bot_id, session)

    def look_up_session(self, bot_id: str) -> None:
        """Look up the session of a bot whose start was carried out, but not answered. Raises Unavailable."""
        self._note(lambda kept: kept.start_answered(bot_id))
        if self._settings.report_ledger is not Switch.OFF:
            self._attribution.look_up_session(bot_id)
            self._go_on(bot_id)

    def row_stopped(self, bot_id: str) -> None:
        """Tell the supervisor that by an answer of BotService just now the bot's row is STOPPED."""
        stopped = ReportState(stopped=bot_id, stopped_at=monotonic())
        self._channel.send(stopped.model_dump_json().encode() + b"\n")

    def _note(self, write: Callable[[Deliveries], None]) -> None:
        """Record a fact about a start, if that is possible: no start waits for a file of this process."""
        if self._sender is not None:
            with suppress(LedgerFailed):
                write(self._deliveries)

    def _go_on(self, bot_id: str) -> None:
        if self._sender is not None:
            self._sender.go_on(self._store.name_of(bot_id))

    def _reports(self) -> bool:
        if monotonic() < self._due:
            return False
        try:
            sender = self._opened()
            worked = sender.step()
            if sender.off:
                self._due = float("inf")
            self._damaged = False
            return worked
        except LedgerFailed as error:
            self._fault, self._due = str(error), monotonic() + RETRY
            self._damaged = not isinstance(error, (LedgerUnavailable, LedgerBusy))
            if self._repeats.note("own", monotonic()) is not None:
                logger.bind(event="report_failed").error("no report can be made: {}", error)
            return False

    def _opened(self) -> OutboxSender:
        if self._sender is None:
            self._deliveries.open()
            self._attribution.open(self._deliveries)
            with suppress(LedgerFailed):
                self._unanswered = self._deliveries.unanswered_starts()
            self._sender = OutboxSender(
                self._store.outboxes(),
                self._service,
                self._deliveries,
                self._attribution,
                Backoff(LONGEST_DELAY),
                self._names,
                optional=self._settings.report_ledger is Switch.AUTO,
            )
        self._fault = None
        if monotonic() >= self._sweep_at:
            self._sender.sweep()
            self._sweep_at = monotonic() + SWEEP
        return self._sender

    def _next_report(self) -> float:
        sender, finishing = self._sender, self._channel.finishing
        moment = self._due if sender is None else sender.next_moment(finishing=finishing)
        return max(moment, self._due)

    def _state(self) -> ReportState:
        sender = self._sender
        if sender is None:
            return ReportState(last_error=None if self._fault is None else _sendable(self._fault))
        error = self._fault or sender.last_error
        at = sender.last_delivered_at
        return ReportState(
            taken=sender.taken,
            sessions=self._attribution.sessions,
            pending=sender.pending,
            last_delivered_at=None if at is None else iso(at),
            consecutive_failures=sender.failures,
            last_error=None if error is None else _sendable(error),
        )


def _sendable(text: str) -> str:
    """The text cut to _LONGEST_ERROR characters, without those that UTF-8 cannot encode."""
    return text[:_LONGEST_ERROR].encode("utf-8", "replace").decode("utf-8")


def _read(line: bytes) -> ReportRequest | None:
    try:
        return ReportRequest.model_validate_json(line)
    except ValidationError:
        return None  # the next sweep finds the reports of an unreadable request
