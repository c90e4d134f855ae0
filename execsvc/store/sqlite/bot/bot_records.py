"""All records of one bot, by the names of :class:`execsvc.store.bot_store.BotStore`."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from decimal import Decimal

from execsvc.clock import Moment
from execsvc.model.bot import Binding
from execsvc.model.order import Intent
from execsvc.model.position import Position
from execsvc.model.refusal import SizeAnswer
from execsvc.model.result import Result
from execsvc.store.abandoned import Abandoned
from execsvc.store.bot_facts import Missing, Today, Unfilled
from execsvc.store.orders import OrderRow
from execsvc.store.sqlite import moments
from execsvc.store.sqlite.account.account_records import AccountRecords
from execsvc.store.sqlite.bot import (
    abandonment,
    booking,
    entries,
    guards,
    missing,
    outbox,
    results,
    size_answers,
    starts,
)
from execsvc.store.sqlite.bot.bot_tables import BotTables
from execsvc.store.tripped import Tripped


class BotRecords(BotTables):
    """The records of one bot on an open connection. Every method raises LedgerFailed."""

    def book(
        self,
        binding: Binding,
        order: OrderRow,
        state: str | None = None,
        paper: tuple[Decimal, Decimal] | None = None,
    ) -> Position:
        """Book a settled order in one transaction (:func:`execsvc.store.sqlite.bot.booking.book`)."""
        return booking.book(self, binding, order, state, paper)

    def is_booked(self, client_order_id: str) -> bool:
        """True once an outcome of this order was booked."""
        return booking.is_booked(self, client_order_id)

    def contested_places(self, strategy: str) -> list[Binding]:
        """The bindings under which orders of the bot wait for the decision of an operator."""
        return booking.contested_places(self.connection, strategy)

    def note_intent(self, intent: Intent) -> None:
        """Put in the outbox that an order is about to be sent."""
        outbox.note_intent(self, intent)

    def note_start(self, *, booting: bool) -> None:
        """Put in the outbox that a new process of the bot begins to trade."""
        starts.note_start(self, booting=booting)

    def newest_order(self) -> datetime | None:
        """The time at which the newest live order was sent; None before the first."""
        return entries.newest_order(self.connection)

    def unfilled_entries(self, binding: Binding, most: int) -> Unfilled:
        """The newest entries under ``binding`` of which nothing was filled, ``most`` of them at most."""
        return entries.unfilled(self.connection, binding, most)

    def fee_rate(self, binding: Binding) -> Decimal | None:
        """The fee in base of the last buy, as a part of its quantity; None where no buy shows it."""
        return entries.fee_rate(self.connection, binding)

    def entries_sent(self, binding: Binding, span: timedelta) -> list[datetime]:
        """The times of the entries in ``binding``'s mode that are less than ``span`` old."""
        return guards.entries(self.connection, binding, span)

    def result(self, binding: Binding, day: date) -> Result:
        """The realised result in ``binding``'s mode and quote, in all and on ``day``."""
        return results.read(self.connection, binding, day)

    def certain_today(self, binding: Binding, day: date, seen: int = 0) -> Today:
        """The result realised on ``day``, for a caller that may not take unknown for zero."""
        return results.certain_today(self.connection, binding, day, seen)

    def tripped_guards(self) -> list[Tripped]:
        """The guards that are tripped, oldest first."""
        return guards.tripped(self.connection)

    def keep_guard(self, guard: Tripped) -> None:
        """Record that a guard is tripped."""
        guards.keep(self.connection, guard)

    def drop_guard(self, guard: str) -> None:
        """Record that a guard is not tripped any more."""
        guards.drop(self.connection, guard)

    def size_answers(self, key_id: str, symbol: str) -> list[SizeAnswer]:
        """Every kept answer of the exchange to an amount, oldest first."""
        return size_answers.read(self.connection, key_id, symbol)

    def add_size_answer(
        self, key_id: str, symbol: str, answer: SizeAnswer, kept_from: datetime
    ) -> None:
        """Record one answer, once, and drop those from before ``kept_from``."""
        size_answers.add(self.connection, key_id, symbol, answer, kept_from)

    def forget_size_answers(self) -> None:
        """Drop every answer, and count unfilled entries from here on."""
        size_answers.forget(self.connection)

    def missing(self, binding: Binding) -> Missing | None:
        """The record of missing coins; None when none were missing at the last read."""
        return missing.read(self, binding)

    def keep_missing(self, binding: Binding, seen: Missing | None) -> None:
        """Record the missing coins that a read has shown; None: none are missing."""
        missing.keep(self, binding, seen)

    def opened(self, binding: Binding, opened_at: datetime) -> Moment:
        """The moment, by both clocks, at which the position was opened whose time is ``opened_at``."""
        return moments.of(self.connection, moments.place("opened", binding), opened_at)

    def abandon(self, at: datetime) -> list[Abandoned]:
        """Give up all positions of the bot (:func:`execsvc.store.sqlite.bot.abandonment.abandon`)."""
        return abandonment.abandon(self, self._accounts(), at)

    def still_possible(self, longest: float) -> float:
        """Seconds for which an open order of the bot may still execute, 0 without one.

        ``longest``: seconds after its intent within which an order executes, or not at all.
        """
        return abandonment.still_possible(self, self._accounts(), longest)

    def _accounts(self) -> Iterable[AbstractContextManager[AccountRecords]]:
        """The accounts on which an order of the bot may be open or contested, each to be closed."""
        return ()
