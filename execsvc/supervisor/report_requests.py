"""The supervisor's end of reporting: requests to the reporting process, and its state in return."""

from __future__ import annotations

import math
import selectors
from collections import deque
from collections.abc import Callable, Collection

from loguru import logger
from pydantic import ValidationError

from execsvc.clients.bot_service import BOOTING, RUNNING, STOPPING, Listing
from execsvc.reporting.lifecycle import RESEND_AFTER, ReportKind
from execsvc.settings import Switch
from execsvc.supervisor.bots.bot import Bot
from execsvc.supervisor.bots.bots import Bots
from execsvc.supervisor.bots.facts import GivenBack
from execsvc.supervisor.bots.fleet import Fleet
from execsvc.supervisor.bots.foreign import Foreign
from execsvc.supervisor.bots.records import Records
from execsvc.supervisor.bots.states import State
from execsvc.supervisor.processes.context import ProcessContext
from execsvc.supervisor.processes.worker_channel import WorkerChannel
from execsvc.supervisor.status.bot_view import last_error
from execsvc.workers.reports import ReportRequest, ReportState, run_reports

HALTED = 20.0
"""Seconds for which a bot has to be BOOTING in a halt before its stop is reported."""


NO_ROOM = 0.05
"""Seconds until a request that a full pipe did not take is written again."""


class ReportRequests:
    """The process that reports to BotService, if reports or the lifecycle are switched on.

    A request that a full pipe drops is made up for by the child's next sweep, or after the next listing;
    the names of the BOOTING bots are written as soon as there is room, ahead of all other requests.
    """

    def __init__(
        self,
        context: ProcessContext,
        records: Records,
        fleet: Fleet,
        bots: Bots,
        selector: selectors.BaseSelector,
        row_stopped: Callable[[str, float], None],
    ) -> None:
        """Start no process. ``row_stopped`` takes a bot whose row is STOPPED, and the monotonic time."""
        self._context = context
        self._records = records
        self._fleet = fleet
        self._bots = bots
        self._row_stopped = row_stopped
        self.channel = WorkerChannel(
            context,
            selector,
            "reports",
            lambda pipes: run_reports(context.settings, pipes),
            self._receive,
            on_end=self._note_end,
        )
        self._state = ReportState()
        self._waiting: dict[str, str] = {}
        """The status in which a row waits for a report, by bot, by the latest listing."""
        self._requested: dict[str, tuple[str, ReportKind]] = {}
        """Rows for which the child may still be about to report: their status, and the report, by bot."""
        self._booting: frozenset[str] = frozenset()
        self._sessions = False
        """True once BotService was seen to start or stop bots by itself."""
        self._halted: dict[str, float] = {}
        """The times since which bots are BOOTING while trading is halted."""
        self._foreign = Foreign(context, records, fleet)
        self._named: frozenset[str] | None = None
        """The BOOTING bots whose names the child has or is being sent; None: all are to be named anew."""
        self._unanswered: dict[str, float] = {}
        """The times until which BotService may still carry out starts that a dead child had reported."""
        self._naming: deque[ReportRequest] = deque()
        """The requests with the names of BOOTING bots that are still to be written."""

    def start(self) -> None:
        """Start the child, if it has anything to do."""
        settings = self._context.settings
        if {settings.report_ledger, settings.bot_lifecycle} != {Switch.OFF}:
            self.channel.start()

    def listed(self, current: Listing, whole: Listing) -> None:
        """Take the bots for which BotService waits by this listing, to request again the reports due.

        ``whole`` also has the bots that were BOOTING when that query was last answered.
        """
        self._waiting = {
            **self._still_waiting(current),
            **dict.fromkeys(current.booting, BOOTING),
            **dict.fromkeys(current.stopping, STOPPING),
        }
        for bot_id in self._held_elsewhere(current.stopping):
            self._waiting.pop(bot_id, None)
        self._note_halted(whole.booting)
        self._foreign.listed(whole.booting)
        if self._starts_and_stops():
            for bot in map(self._fleet.bots.get, [*current.bots, *current.invalid]):
                if bot is not None and bot.state in (State.FAILED, State.HELD):
                    self._waiting.setdefault(bot.bot_id, RUNNING)
        self._withdraw()
        if BOOTING not in current.unanswered or BOOTING in current.unsupported or whole.booting:
            self._booting = frozenset(whole.booting)
            self._name_all_booting()

    def pass_on(self) -> None:
        """Send the child the requests that have become due since the last call."""
        if not self._name_booting():
            return  # the child must know the BOOTING bots before it looks at their orders
        news, self._fleet.news = self._fleet.news, set()
        if self.channel.gone:
            return  # a new child looks at all ledgers
        if self._reports:
            for bot_id in news:
                self._request(ReportRequest(changed=bot_id, name=self._name(bot_id)))
        self._withdraw_undue()
        for bot_id, status in list(self._waiting.items()):
            report = self._due_report(bot_id, status)
            if report is not None:
                # The next listing brings the row back, unless the report was taken.
                del self._waiting[bot_id]
                self._requested[bot_id] = status, report
                name = self._name(bot_id)
                self._request(ReportRequest(bot_id=bot_id, name=name, report=report, status=status))

    def finish(self) -> None:
        """Let the process deliver the reports that wait, and end."""
        self._naming.clear()
        self.pass_on()
        self.channel.finish()

    def document(self) -> dict[str, object] | None:
        """The state of the reports, for ``/status``; None when none are made."""
        hidden = {"sessions", "stopped", "stopped_at"}
        return self._state.model_dump(exclude=hidden) if self._reports else None

    @property
    def _reports(self) -> bool:
        return self._context.settings.report_ledger is not Switch.OFF

    def _name(self, bot_id: str) -> str | None:
        bot = self._fleet.bots.get(bot_id)
        return None if bot is None else bot.name_in_log

    def _still_waiting(self, current: Listing) -> dict[str, str]:
        """Rows that waited in a status whose query this listing lacks, and may still do so.

        The child reads each row before it reports anything of it.
        """
        before = {bot_id: status for bot_id, (status, _) in self._requested.items()} | self._waiting
        answered = current.bots.keys() | current.invalid.keys() | set(current.stopping)
        return {
            bot_id: status
            for bot_id, status in before.items()
            if status in current.unanswered and bot_id not in answered
        }

    def _held_elsewhere(self, stopping: Collection[str]) -> set[str]:
        """Bots that another service of this machine still has to close, which then reports their stop."""
        bots = {bot_id: self._fleet.bots.get(bot_id) for bot_id in stopping}
        idle = [
            bot_id for bot_id, bot in bots.items() if bot is None or bot.processes.owner is None
        ]
        return self._records.accounts.held_elsewhere(idle) if idle else set()

    def _withdraw(self) -> None:
        """Withdraw the reports for rows that wait no more: a late one would undo a later request."""
        for bot_id, (status, _) in list(self._requested.items()):
            if self._waiting.get(bot_id) != status and self._request(ReportRequest(bot_id=bot_id)):
                del self._requested[bot_id]

    def _withdraw_undue(self) -> None:
        """Withdraw the reports that are not due any more, as the stop of a bot that was released since."""
        for bot_id, (status, report) in list(self._requested.items()):
            due = self._due_report(bot_id, status) == report
            if not due and self._request(ReportRequest(bot_id=bot_id)):
                del self._requested[bot_id]

    def _name_all_booting(self) -> None:
        """Name to the child the bots whose order reports wait for the report of their start."""
        if self._named == self._booting or self.channel.gone or not self._reports:
            return
        named = [ReportRequest(booting=bot_id) for bot_id in sorted(self._booting)]
        self._naming = deque([ReportRequest(anew=True), *named, ReportRequest(complete=True)])
        self._named = self._booting
        self._name_booting()

    def _name_booting(self) -> bool:
        """Write as many of these names as the pipe takes; False while some are left."""
        while self._naming and self._request(self._naming[0]):
            self._naming.popleft()
        if self._naming:
            self._context.timers.ask(self.channel.key, self._context.clock.now + NO_ROOM)
        return not self._naming

    def _due_report(self, bot_id: str, status: str) -> ReportKind | None:
        """The report that is due: a start when the bot has ticked, a stop when it is flat for certain."""
        bots = self._fleet.bots
        bot = bots.get(bot_id)
        if status == BOOTING:
            process = bot.processes.owner if bot is not None and bot.runs_freely else None
            if process is not None and process.snapshot.ticks > 0:
                return "start" if self._may_start(bot_id) else None
        if status in (BOOTING, RUNNING):
            return "stop" if bot is not None and self._is_given_back(bot, status) else None
        if bot is None:
            # No open bot is forgotten; an unreadable ledger has a record under the name of its file.
            return None if self._records.store.name_of(bot_id) in bots else "stop"
        return "stop" if bot.is_at_rest and bot.state is State.STOPPED else None

    def _may_start(self, bot_id: str) -> bool:
        """False while BotService may be about to carry out a start that a dead child had reported."""
        until = self._unanswered.get(bot_id)
        if until is None:
            return True
        if self._context.clock.now < until:
            self._context.timers.ask(self.channel.key, until)
            return False
        del self._unanswered[bot_id]
        return True

    def _starts_and_stops(self) -> bool:
        """True once BotService was seen to start or stop bots or to have sessions, or by a setting."""
        lifecycle = self._context.settings.bot_lifecycle
        if lifecycle is Switch.OFF:
            return False  # even if the answers to its reports named sessions
        self._sessions = self._sessions or bool(self._waiting) or self._state.sessions
        return self._sessions or lifecycle is Switch.ON

    def _note_halted(self, booting: Collection[str]) -> None:
        now, halted = self._context.clock.now, self._records.halted
        before = self._halted
        self._halted = {key: before.get(key, now) for key in booting} if halted else {}

    def _is_given_back(self, bot: Bot, status: str) -> bool:
        """True for a bot that does not run, and will not: its stop is reported, and logged."""
        why = self._hindrance(bot, status)
        if why is not None:
            self._bots.apply(bot.bot_id, GivenBack(why))
        return why is not None

    def _hindrance(self, bot: Bot, status: str) -> str | None:
        """The reason why ``bot`` does not run until a user or operator acts; None when it may run."""
        broken = (
            bot.state is State.FAILED
            and bot.known.unreadable is not None
            and bot.processes.owner is None
        )
        if not bot.is_at_rest and not (broken and status == BOOTING):
            return None
        unclaimed = status == BOOTING and self._foreign.is_unclaimed(bot.bot_id)
        if bot.hold_record.hold is not None and (
            bot.hold_record.hold.unsure or (bot.hold_record.hold.foreign and not unclaimed)
        ):
            return None  # no operator ended it, or another service may run it
        if bot.state in (State.FAILED, State.HELD):
            return f"{bot.state.value}: {last_error(bot)}"
        if status != BOOTING:
            return None
        if bot.state is State.INVALID:
            return f"its row cannot be used: {bot.desired.row_error}"
        halt = self._records.halt.current
        long = self._context.clock.now - self._halted.get(bot.bot_id, math.inf) >= HALTED
        return halt.text if halt is not None and bot.state is State.STOPPED and long else None

    def _note_end(self) -> None:
        """Take note that the process ended: the next one knows no request."""
        self._named = None
        self._naming.clear()
        now, requested = self._context.clock.now, self._requested.items()
        started = [bot_id for bot_id, (_, report) in requested if report == "start"]
        before = {bot_id: until for bot_id, until in self._unanswered.items() if now < until}
        self._unanswered = before | dict.fromkeys(started, now + RESEND_AFTER)
        self._requested.clear()

    def _request(self, request: ReportRequest) -> bool:
        return self.channel.request(request.model_dump_json(exclude_none=True).encode() + b"\n")

    def _receive(self, line: bytes) -> None:
        try:
            state = ReportState.model_validate_json(line)
        except ValidationError as error:
            logger.bind(event="reports_unreadable").warning("the reports process wrote {}", error)
            return
        if state.stopped is None:
            self._state = state
            return
        for kept in (self._waiting, self._requested, self._halted):
            kept.pop(state.stopped, None)
        self._foreign.forget(state.stopped)
        self._row_stopped(state.stopped, state.stopped_at)
