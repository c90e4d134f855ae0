"""The process that reports orders, starts and stops to BotService.

It takes requests as JSON lines from one pipe (:class:`Request`) and writes its state, which is its
heartbeat too, to another (:class:`Word`). The end of the requests means that the service stops: the
reports that wait may still be delivered, until the process is killed.
"""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

import setproctitle
from loguru import logger
from pydantic import BaseModel, ConfigDict, ValidationError

from execsvc import logs
from execsvc.clients.bot_reports import BotReports, Id
from execsvc.clients.bot_sessions import BotSessions
from execsvc.clients.service_http import bot_service_http
from execsvc.clock import iso, monotonic, now
from execsvc.errors import LedgerBusy, LedgerFailed, LedgerUnavailable, StopRequested
from execsvc.repeats import Repeats
from execsvc.reporting import lifecycle
from execsvc.reporting.attribution import Attribution
from execsvc.reporting.lifecycle import Lifecycle
from execsvc.reporting.names import Names
from execsvc.reporting.patience import Patience
from execsvc.reporting.rounds import LONGEST_DELAY, Rounds
from execsvc.settings import Settings, Switch
from execsvc.store.opening import open_store
from execsvc.store.outbox import Deliveries

BEAT = 2.0
SHORTEST_SILENCE = 0.2
"""Seconds between two lines of the state, at least."""
SWEEP = 60.0
"""Seconds between two checks of all ledgers, for reports without a request."""
RETRY = 5.0
"""Seconds until a file of this process that failed is tried again."""
LARGEST_REQUEST = 4096
LARGEST_WORD = 4096
_LONGEST_ERROR = 500


class Request(BaseModel):
    """One line to the child: look at a bot's ledger, or report that a bot started or stopped.

    A ``bot_id`` without a word withdraws the word that is due for the bot. ``booting`` names one bot
    for whose start BotService waits, ``complete`` says that all of them were named.
    """

    look: str | None = None
    """The id of the bot whose ledger has something new."""
    name: str | None = None
    """The name of the bot of this request, where the name says more than the id."""
    bot_id: str | None = None
    word: lifecycle.Word | None = None
    status: str = ""
    """The status of the bot's row that waits for the word."""
    anew: bool = False
    """True when the bots for whose start BotService waits are about to be named."""
    booting: str | None = None
    complete: bool = False


class Word(BaseModel):
    """One line of the child: the state of its reports; only a heartbeat when it makes none."""

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


def report_for_ever(settings: Settings, lifeline: int, requests: int, answers: int) -> int:
    """Report until the lifeline ends, or the service stops and nothing is left. Returns the exit code."""
    setproctitle.setproctitle("execsvc: reports")
    logs.setup(settings.log_level, settings.log_format)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    talk = _Talk(lifeline, requests, answers)
    http = bot_service_http(settings, talk.pulse)
    worker = ReportingWorker(settings, BotReports(http), BotSessions(http), talk)
    try:
        while worker.work():
            pass
    except (StopRequested, BrokenPipeError):
        return 0
    return 0


class ReportingWorker:
    """The work of the process: reports, starts and stops, one step after the other."""

    def __init__(
        self, settings: Settings, service: BotReports, sessions: BotSessions, talk: _Talk
    ) -> None:
        self._settings = settings
        self._service = service
        self._talk = talk
        optional = settings.report_ledger is Switch.AUTO
        self._store = open_store(settings)
        self._attribution = Attribution(self._store.outboxes(), sessions, optional=optional)
        self._names = Names(self._store.name_of)
        self._lifecycle = Lifecycle(
            service,
            sessions,
            self,
            Patience(lifecycle.LONGEST_DELAY),
            settings.poll_interval,
            self._names,
        )
        self._booting: set[str] = set()
        self._deliveries = self._store.deliveries()
        self._unanswered: dict[str, datetime] = {}
        """The times at which an earlier process sent starts without an answer, by bot."""
        self._rounds: Rounds | None = None
        self._fault: str | None = None
        self._damaged = False
        """True when no report can be made until an operator repairs the file of the deliveries."""
        self._repeats = Repeats()
        self._due = float("inf") if settings.report_ledger is Switch.OFF else monotonic()
        """The time from which reports may be made; infinity when they are off."""
        self._sweep_at = self._due

    def work(self) -> bool:
        """Do one step, or wait for one; False when the service stops and nothing is left to do."""
        for request in self._talk.requests():
            self._obey(request)
        worked = self._lifecycle.step() or self._reports()
        self._talk.say(self._word())
        if worked:
            return True
        moment = min(self._lifecycle.next_moment(), self._next_report())
        if self._talk.finishing and moment == float("inf"):
            return False
        # While a file of this process fails there is no sweep: a wait for one would be a busy loop.
        self._talk.wait(min(moment, max(self._sweep_at, self._due)) - monotonic())
        return True

    def _obey(self, request: Request) -> None:
        for bot_id in (request.look, request.bot_id if request.word is not None else None):
            if bot_id is not None:
                self._names.learn(bot_id, request.name)
        if request.look is not None and self._rounds is not None:
            self._rounds.look(self._store.name_of(request.look))
        if request.anew:
            self._booting.clear()
        if request.booting is not None:
            self._booting.add(request.booting)
        if request.complete:
            self._attribution.booting(self._booting)
        if request.bot_id is not None and request.word is not None:
            if request.word == "stop" and self._rounds is not None:
                self._rounds.look(self._store.name_of(request.bot_id))
            self._lifecycle.ask(request.bot_id, request.word, request.status)
        elif request.bot_id is not None:
            self._lifecycle.withdraw(request.bot_id)

    def waits(self, bot_id: str) -> bool:
        """True while reports of the bot wait that BotService may take."""
        if self._settings.report_ledger is Switch.OFF or self._damaged:
            return False
        return self._rounds is None or self._rounds.waits(self._store.name_of(bot_id))

    def ending(self, bot_id: str, ends: bool) -> None:
        """Note that a stop of the bot is about to be reported, or with ``ends`` False that it is not."""
        self._attribution.ending(bot_id, ends)
        self._go_on(bot_id)

    def starting(self, bot_id: str) -> float:
        """Note that a start of the bot is about to be reported to BotService.

        Returns the seconds [s] for which BotService may still carry out such a report of an earlier
        process that was not answered.
        """
        if self._rounds is None and monotonic() >= self._due:
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

    def look_again(self, bot_id: str) -> None:
        """Look up the session of a bot whose start was carried out, but not answered. Raises Unavailable."""
        self._note(lambda kept: kept.start_answered(bot_id))
        if self._settings.report_ledger is not Switch.OFF:
            self._attribution.look_again(bot_id)
            self._go_on(bot_id)

    def row_stopped(self, bot_id: str) -> None:
        """Tell the supervisor that by an answer of BotService just now the bot's row is STOPPED."""
        self._talk.tell(Word(stopped=bot_id, stopped_at=monotonic()))

    def _note(self, write: Callable[[Deliveries], None]) -> None:
        """Record a fact about a start, if that is possible: no start waits for a file of this process."""
        if self._rounds is not None:
            with suppress(LedgerFailed):
                write(self._deliveries)

    def _go_on(self, bot_id: str) -> None:
        if self._rounds is not None:
            self._rounds.go_on(self._store.name_of(bot_id))

    def _reports(self) -> bool:
        if monotonic() < self._due:
            return False
        try:
            rounds = self._opened()
            worked = rounds.step()
            if rounds.off:
                self._due = float("inf")
            self._damaged = False
            return worked
        except LedgerFailed as error:
            self._fault, self._due = str(error), monotonic() + RETRY
            self._damaged = not isinstance(error, (LedgerUnavailable, LedgerBusy))
            if self._repeats.note("own", monotonic()) is not None:
                logger.bind(event="report_failed").error("no report can be made: {}", error)
            return False

    def _opened(self) -> Rounds:
        if self._rounds is None:
            self._deliveries.open()
            self._attribution.open(self._deliveries)
            with suppress(LedgerFailed):
                self._unanswered = self._deliveries.unanswered_starts()
            self._rounds = Rounds(
                self._store.outboxes(),
                self._service,
                self._deliveries,
                self._attribution,
                Patience(LONGEST_DELAY),
                self._names,
                optional=self._settings.report_ledger is Switch.AUTO,
            )
        self._fault = None
        if monotonic() >= self._sweep_at:
            self._rounds.sweep()
            self._sweep_at = monotonic() + SWEEP
        return self._rounds

    def _next_report(self) -> float:
        rounds, finishing = self._rounds, self._talk.finishing
        moment = self._due if rounds is None else rounds.next_moment(finishing=finishing)
        return max(moment, self._due)

    def _word(self) -> Word:
        rounds = self._rounds
        if rounds is None:
            return Word(last_error=None if self._fault is None else _sendable(self._fault))
        error = self._fault or rounds.last_error
        at = rounds.last_delivered_at
        return Word(
            taken=rounds.taken,
            sessions=self._attribution.sessions,
            pending=rounds.pending,
            last_delivered_at=None if at is None else iso(at),
            consecutive_failures=rounds.failures,
            last_error=None if error is None else _sendable(error),
        )


class _Talk:
    """Both pipes and the lifeline; every wait sends heartbeats."""

    def __init__(self, lifeline: int, requests: int, answers: int) -> None:
        self._lifeline, self._requests, self._answers = lifeline, requests, answers
        self._poll = select.poll()
        self._poll.register(lifeline, select.POLLIN)
        self._poll.register(requests, select.POLLIN)
        self._rest = b""
        self._waiting: list[Request] = []
        self._word = Word()
        self._spoken: Word | None = None
        self._spoke_at = float("-inf")
        self.finishing = False

    def requests(self) -> list[Request]:
        """The requests since the last call. Raises StopRequested when the supervisor is gone."""
        self._look(0.0)
        taken, self._waiting = self._waiting, []
        return taken

    def wait(self, seconds: float) -> None:
        """Wait until the next request, for ``seconds`` at most, and send heartbeats."""
        until = monotonic() + seconds
        while not self._waiting and (left := until - monotonic()) > 0:
            if self._look(min(left, BEAT)):
                return
            self._speak()

    def say(self, word: Word) -> None:
        """Take the present state; it is written when it has changed, or as a heartbeat."""
        self._word = word
        self._speak()

    def tell(self, word: Word) -> None:
        """Write this one line now."""
        os.write(self._answers, word.model_dump_json().encode() + b"\n")

    def pulse(self, interruptible: bool) -> None:
        """Read requests and send a heartbeat during a wait on the network."""
        self._look(0.0)
        self._speak()

    def _look(self, seconds: float) -> bool:
        """Read the requests that have come; True when their end was read just now."""
        for descriptor, _ in self._poll.poll(max(seconds, 0.0) * 1000):
            if descriptor == self._lifeline:
                raise StopRequested("LIFELINE")
            chunk = os.read(self._requests, 65536)
            if not chunk:
                self._poll.unregister(self._requests)
                self.finishing = True
                return True
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            self._waiting += [request for line in lines if (request := _read(line)) is not None]
        return False

    def _speak(self) -> None:
        silence = monotonic() - self._spoke_at
        changed = self._word != self._spoken and silence >= SHORTEST_SILENCE
        if changed or silence >= BEAT:
            line = self._word.model_dump_json().encode() + b"\n"
            os.write(self._answers, line)
            self._spoken, self._spoke_at = self._word, monotonic()


def _sendable(text: str) -> str:
    """The text cut to _LONGEST_ERROR characters, without those that UTF-8 cannot encode."""
    return text[:_LONGEST_ERROR].encode("utf-8", "replace").decode("utf-8")


def _read(line: bytes) -> Request | None:
    try:
        return Request.model_validate_json(line)
    except ValidationError:
        return None  # the next sweep finds the reports of an unreadable request
