"""Deliveries from the outboxes of the bots to BotService: of each bot in order, one bot after another."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime

from loguru import logger
from pydantic import ValidationError

from execsvc.clients.bot_reports import BotReports, Id, NoSuchCall, RecordLost, ReportRefused
from execsvc.clock import monotonic, now
from execsvc.errors import LedgerFailed, LedgerUnavailable, Unavailable
from execsvc.model.order_report import ExecutionReport, OrderReport, ReportKind
from execsvc.repeats import Repeats
from execsvc.reporting.attribution import Attribution, NotYet
from execsvc.reporting.backoff import Backoff
from execsvc.reporting.names import BotNames
from execsvc.store.outbox import Deliveries, Mark, Outboxes, OutboxRow

BATCH = 50
"""Rows of one bot that are read at once."""
LONGEST_DELAY = 300.0
"""Seconds between two tries of a row that BotService does not take, at most."""

HOLD = 1.0
"""Seconds until reports that wait for the report of a start are tried again."""

_SERVICE = "BotService"
"""The name of faults that concern all bots; it has no dash, as the stem of every file has."""


@dataclass
class _Outbox:
    """The outbox of one bot: ``waiting`` rows, of which ``rows`` are read already."""

    rows: deque[OutboxRow] = field(default_factory=deque)
    waiting: int = 0
    stale: bool = True
    damaged: bool = False
    """True when its next row cannot be read or reported until an operator repairs the ledger."""


@dataclass(frozen=True)
class _Delivered:
    """A row that BotService took, and the id that it gave for it."""

    stem: str
    mark: Mark
    given: str | None
    at: datetime


class OutboxSender:
    """Deliveries one row at a time, of one bot after another.

    A row counts as delivered when that is on the disk: after any crash each row is delivered at least
    once, and none of a bot before an earlier one. Ledgers are named by the stem of their file.
    """

    def __init__(
        self,
        outboxes: Outboxes,
        service: BotReports,
        deliveries: Deliveries,
        attribution: Attribution,
        backoff: Backoff,
        names: BotNames,
        *,
        optional: bool = False,
    ) -> None:
        """Start with no outbox. ``optional``: a BotService without such a call gets no further reports."""
        self._optional = optional
        self.off = False
        """True once BotService was found not to take reports."""
        self._kept = outboxes
        self._service = service
        self._deliveries = deliveries
        self._attribution = attribution
        self._backoff = backoff
        self._names = names
        self._outboxes: dict[str, _Outbox] = {}
        """The outboxes that have, or may have, rows to deliver, in the order of their turns."""
        self._held: dict[str, float] = {}
        """The times until which outboxes are left alone that wait for the report of a start."""
        self._repeats = Repeats()
        self._errors: dict[str, str] = {}
        self._reported_anew: set[str] = set()
        """Orders that BotService had lost: each is reported once more, not again and again."""
        self._unrecorded: _Delivered | None = None
        self.failures = 0
        self.last_delivered_at: datetime | None = deliveries.last_at()

    @property
    def taken(self) -> bool | None:
        """True when BotService takes reports, False when not, None as long as none was tried."""
        if self.off:
            return False
        return True if self.last_delivered_at is not None else None

    @property
    def pending(self) -> int:
        """Count of the rows that wait, by the latest reads of the ledgers."""
        return sum(outbox.waiting for outbox in self._outboxes.values())

    @property
    def last_error(self) -> str | None:
        """The reason why the row that failed last was not delivered; None when no fault stands."""
        return next(reversed(self._errors.values()), None)

    def mark_changed(self, stem: str) -> None:
        """Note that there may be new rows in the ledger ``stem``."""
        if not self.off:
            self._outboxes.setdefault(stem, _Outbox()).stale = True

    def sweep(self) -> None:
        """Look at every ledger that any process has written to since the last sweep."""
        if self.off:
            return
        for stem in self._kept.changed():
            self.mark_changed(stem)

    def waits(self, stem: str) -> bool:
        """True while there are, or may be, rows of the ledger ``stem`` that can be delivered."""
        outbox = self._outboxes.get(stem)
        return outbox is not None and not outbox.damaged

    def go_on(self, stem: str) -> None:
        """Try the reports of the ledger ``stem`` again: the start that they wait for may be reported."""
        self._held.pop(stem, None)

    def next_moment(self, *, finishing: bool = False) -> float:
        """The time at which :meth:`step` may have work; infinity when nothing waits.

        ``finishing``: no start is reported any more, so the rows that wait for one do not count.
        """
        stems = [stem for stem in self._outboxes if not (finishing and stem in self._held)]
        return min(map(self._due, stems), default=float("inf"))

    def step(self) -> bool:
        """Look at one ledger or deliver one row; False when there is nothing to do now.

        Raises LedgerFailed when a delivery cannot be recorded; the next call then records it first.
        """
        self._record()
        for stem, outbox in self._outboxes.items():
            if self._due(stem) <= monotonic():
                # To the end of the row: the next turn is that of another bot.
                self._outboxes[stem] = self._outboxes.pop(stem)
                self._held.pop(stem, None)
                if outbox.stale:
                    self._read(stem, outbox)
                else:
                    self._try(stem, outbox)
                return True
        return False

    def _read(self, stem: str, outbox: _Outbox) -> None:
        mark = self._deliveries.mark(stem)
        try:
            found, outbox.waiting = self._kept.waiting(stem, mark, BATCH)
        except LedgerFailed as error:
            outbox.damaged = not isinstance(error, LedgerUnavailable)
            self._failed(stem, str(error))
            self._backoff.refused(stem, monotonic())
            return
        outbox.damaged = False
        outbox.rows, outbox.stale = deque(found), False
        if not found:
            del self._outboxes[stem]
            self._held.pop(stem, None)
            self._errors.pop(stem, None)

    def _try(self, stem: str, outbox: _Outbox) -> None:
        row = outbox.rows[0]
        try:
            given = self._deliver(stem, row)
        except NotYet:
            self._held[stem] = monotonic() + HOLD
        except NoSuchCall as error:
            # A service that has taken reports knows the call: this is a maintenance page, or one bot's fault.
            if self._optional and self.last_delivered_at is None:
                self._turn_off(str(error))
            else:
                self._answered(stem, str(error))
        except ReportRefused as error:
            self._answered(stem, str(error))
        except Unavailable as error:
            self._failed(_SERVICE, str(error))
            self._backoff.unanswered(stem, monotonic(), error.retry_after)
        except (LedgerFailed, ValidationError) as error:
            outbox.damaged = not isinstance(error, LedgerUnavailable)
            self._answered(
                stem,
                f"{row.mark.kind.value} of order {row.mark.order_id} cannot be reported: {error}",
            )
        else:
            outbox.damaged = False
            outbox.rows.popleft()
            outbox.waiting -= 1
            outbox.stale = outbox.stale or not outbox.rows
            self._succeeded(stem)
            self._unrecorded = _Delivered(stem, row.mark, given, now())
            self._record()

    def _turn_off(self, why: str) -> None:
        """Make no more reports; the rows stay in the ledgers, for the next start of the service."""
        self._deliveries.refused(why)
        self.off = True
        self._outboxes.clear()
        self._held.clear()
        self._errors.clear()
        self.failures = 0
        logger.bind(event="reports_off").info(
            "BotService takes no reports of orders, none is made until the next start: {}", why
        )

    def _due(self, stem: str) -> float:
        return max(self._backoff.due(stem), self._held.get(stem, float("-inf")))

    def _deliver(self, stem: str, row: OutboxRow) -> str | None:
        """Report one row to BotService. Returns JSON of the id that it gave, where it gives one."""
        order_id, kind = row.mark.order_id, row.mark.kind
        if kind is ReportKind.ORDER:
            return json.dumps(
                self._order(stem, order_id, OrderReport.model_validate_json(row.body))
            )
        given: Id = json.loads(self._deliveries.given(order_id))
        try:
            self._what_became(given, row)
        except RecordLost:
            if order_id in self._reported_anew:
                raise
            given = self._report_again(stem, order_id)
            self._reported_anew.add(order_id)
            self._what_became(given, row)
        return None

    def _what_became(self, given: Id, row: OutboxRow) -> None:
        order_id, kind = row.mark.order_id, row.mark.kind
        if kind is ReportKind.EXECUTION:
            execution = ExecutionReport.model_validate_json(row.body)
            self._service.execution(given, execution, order_id)
        else:
            self._service.status(given, kind.value)

    def _report_again(self, stem: str, order_id: str) -> Id:
        """Report again an order that BotService has lost, as after a restore of its database; its new id."""
        order = OrderReport.model_validate_json(self._kept.order_report(stem, order_id))
        given = self._order(stem, order_id, order)
        self._deliveries.give_anew(order_id, json.dumps(given))
        return given

    def _order(self, stem: str, order_id: str, order: OrderReport) -> Id:
        """Report an order, unless BotService took it before and its answer was lost. Returns the id."""
        session = self._attribution.session(stem, order, order_id)
        if self._deliveries.ask(order_id):
            known = self._attribution.find(session, order)
            if known is not None:
                return known
        try:
            return self._service.order(order, order_id, session)
        except RecordLost:
            if session is not None:
                self._attribution.lost(stem, session)  # the next try looks up another one
            raise

    def _record(self) -> None:
        """Record the last delivery, before anything else is delivered."""
        done = self._unrecorded
        if done is not None:
            self._deliveries.delivered(done.stem, done.mark, done.given, done.at)
            self.last_delivered_at, self._unrecorded = done.at, None

    def _answered(self, stem: str, why: str) -> None:
        self._recovered(_SERVICE)
        self._failed(stem, why)
        self._backoff.refused(stem, monotonic())

    def _succeeded(self, stem: str) -> None:
        self.failures = 0
        self._backoff.succeeded(stem)
        self._recovered(_SERVICE)
        self._recovered(stem)

    def _recovered(self, whose: str) -> None:
        if self._errors.pop(whose, None) is not None:
            self._repeats.forget(whose)
            bound = self._names.log_of(whose).bind(event="report_recovered")
            bound.info("reports go through again ({})", whose)

    def _failed(self, whose: str, why: str) -> None:
        self.failures += 1
        self._errors.pop(whose, None)
        self._errors[whose] = why
        if self._repeats.note(whose, monotonic()) is not None:
            self._names.log_of(whose).bind(event="report_failed").warning(
                "a report to BotService failed, it is tried again until it is taken ({}): {}",
                whose,
                why,
            )
