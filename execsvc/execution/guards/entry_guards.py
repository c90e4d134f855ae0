"""The guards of one bot, which judge its entries and report when they trip."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal

from execsvc.clock import monotonic, now
from execsvc.errors import GuardRefused, LedgerFailed
from execsvc.execution.guards import decisions
from execsvc.execution.guards.decisions import MINUTE, MarketReads, Read, Trip, not_known
from execsvc.execution.guards.entry_backoff import EntryBackoff
from execsvc.execution.guards.limits import GuardLimits, GuardName
from execsvc.execution.guards.tripped_guards import TrippedGuards
from execsvc.execution.ports import Services
from execsvc.model.bot import Binding
from execsvc.model.result import utc_day

_UNTIL = "until the bot is stopped and started, or released (execsvc release)"
_END_OF_TIME = 10**15
"""The largest stamp that is compared, in ms; no clock is wrong by so much."""


class Guards:
    """Refuses entries beyond a limit. No exit is ever judged, and no fault in here ends a tick."""

    def __init__(self, services: Services, binding: Binding, limits: GuardLimits) -> None:
        self._limits = limits
        self._ledger = services.ledger
        self._binding = binding
        self._tripped = TrippedGuards(services, binding, limits)
        self._backoff = EntryBackoff(services.ledger, binding, self._tripped)
        self._reads = MarketReads()
        self._seen = utc_day(now()), 0
        """The newest order of the day up to which the results of all orders are known."""

    def read(self, what: str, asked_at: float, stamp: int | None = None) -> None:
        """Record that the tick has read ``what``, asked for at ``asked_at`` (monotonic s),
        ``stamp`` in ms.
        """
        behind = None if stamp is None else now().timestamp() - _plausible(stamp) / 1000
        self._reads.add(Read(what, asked_at, monotonic(), behind))

    def begin_tick(self) -> None:
        """Begin a tick: update which guards have tripped since the last tick, and which are over."""
        self._tripped.begin_tick()
        self._judge_loss()
        if self._tripped.shows(GuardName.ORDER_RATE):
            self._judge_rate()
        if self._tripped.shows(GuardName.ENTRY_BACKOFF):
            self._backoff.check()
        if self._tripped.shows(GuardName.DATA_AGE) and self._read_was_fresh():
            self._tripped.clear(GuardName.DATA_AGE)
        self._reads.forget()

    def check_entry(self) -> None:
        """Refuse an entry whose size is not yet known, as far as possible. Raises GuardRefused."""
        self._tripped.open()
        _refuse(
            self._judge_stop_loss(),
            self._judge_loss(),
            self._judge_rate(),
            self._judge_age(),
            self._backoff.check(),
        )

    def entry_unfilled(self, reason: str, is_over: bool) -> None:
        """Record an entry of which nothing was filled; ``is_over``: nothing of it can be filled any
        more.
        """
        self._backoff.note(reason)
        if is_over:
            self._backoff.check()

    def begin_anew(self, flat: bool = True) -> None:
        """End the wait of entries, as an operator's release asks.

        The trip of a stop loss stands while its position is not closed yet (``flat`` is False).
        """
        self._backoff.check()
        if flat:
            self._tripped.clear(GuardName.STOP_LOSS)

    def stop_out(self, detail: str) -> None:
        """Refuse entries from now on: the stop loss of the row closes the position."""
        self._tripped.open()
        self._ledger.make_room()
        with suppress(LedgerFailed):
            self._ledger.may_reenter()  # an earlier release does not count for this trip
        self._tripped.restate(GuardName.STOP_LOSS, Trip(GuardName.STOP_LOSS, f"{detail}; {_UNTIL}"))

    def is_stopped_out(self) -> bool:
        """True from the stop loss on, until the bot is stopped and started, or released."""
        self._tripped.open()
        self._tripped.clear_if_reentered()
        return self._tripped.shows(GuardName.STOP_LOSS)

    def admit(self, quantity: Decimal, price: Decimal | None, priced_at: float | None) -> None:
        """Refuse the entry as it is about to be sent.

        Raises GuardRefused.

        ``quantity`` is in base units, ``price`` its ticker, asked for at ``priced_at`` in monotonic
        seconds: the wait for the account's turn may have been long since.
        """
        trip = decisions.order_notional(self._limits.order_notional, quantity, price)
        self._tripped.settle(GuardName.ORDER_NOTIONAL, trip)
        old = self._judge_age(priced_at)
        if old is None:
            self._tripped.clear(GuardName.DATA_AGE)
        _refuse(trip, old)

    def _judge_stop_loss(self) -> Trip | None:
        if self._limits.stop_loss is not None and self._tripped.fault is not None:
            return not_known(GuardName.STOP_LOSS, "the guards' own record", self._tripped.fault)
        if not self.is_stopped_out():
            return None
        return Trip(GuardName.STOP_LOSS, f"the stop loss has closed a position; {_UNTIL}")

    def _judge_loss(self) -> Trip | None:
        trip = self._loss()
        self._tripped.settle(GuardName.DAILY_LOSS, trip)
        return trip

    def _loss(self) -> Trip | None:
        limit = self._limits.daily_loss
        if limit is None:
            return None
        if self._tripped.fault is not None:
            return not_known(GuardName.DAILY_LOSS, "the guards' own record", self._tripped.fault)
        today, before = utc_day(now()), self._tripped.certain(GuardName.DAILY_LOSS)
        if before is not None:
            if utc_day(before.since) == today:
                return Trip(GuardName.DAILY_LOSS, before.detail)
            self._tripped.clear(GuardName.DAILY_LOSS)
        try:
            seen = self._seen[1] if self._seen[0] == today else 0
            found = self._ledger.certain_today(self._binding, today, seen)
        except LedgerFailed as fault:
            return not_known(GuardName.DAILY_LOSS, "what was realised today is not known", fault)
        self._seen = today, found.seen
        return decisions.daily_loss(limit, found.realised)

    def _judge_rate(self) -> Trip | None:
        trip = self._rate()
        self._tripped.settle(GuardName.ORDER_RATE, trip)
        return trip

    def _rate(self) -> Trip | None:
        if self._limits.orders_per_minute is None:
            return None
        try:
            sent = self._ledger.entries_sent(self._binding, MINUTE)
        except LedgerFailed as fault:
            return not_known(GuardName.ORDER_RATE, "what was sent is not known", fault)
        return decisions.order_rate(self._limits.orders_per_minute, sent)

    def _judge_age(self, priced_at: float | None = None) -> Trip | None:
        """The trip of DATA_AGE, if any.

        The guard is cleared only after a whole tick, or an order, with fresh data.
        """
        reads = list(self._reads.all)
        if priced_at is not None:
            reads.append(Read("the order's ticker", priced_at, priced_at))
        trip = decisions.data_age(self._limits.data_age, reads, monotonic())
        if trip is not None:
            self._tripped.settle(GuardName.DATA_AGE, trip)
        return trip

    def _read_was_fresh(self) -> bool:
        return decisions.was_fresh(self._limits.data_age, self._reads.all)


def _plausible(stamp: int) -> int:
    """``stamp`` (ms), or the largest plausible one: an integer of hundreds of digits fits no float."""
    return max(-_END_OF_TIME, min(stamp, _END_OF_TIME))


def _refuse(*trips: Trip | None) -> None:
    found = [trip for trip in trips if trip is not None]
    if found:
        details = "; ".join(trip.detail for trip in found)
        raise GuardRefused(f"no entry: {details}", tuple(trip.guard.value for trip in found))
