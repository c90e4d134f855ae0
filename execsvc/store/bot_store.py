"""Interface of the records of one bot: position, orders, fills, strategy state, execution log."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

from execsvc.clock import Moment
from execsvc.model.bot import Binding
from execsvc.model.market import Limits
from execsvc.model.order import Intent
from execsvc.model.position import Position
from execsvc.model.refusal import SizeAnswer
from execsvc.model.result import Result
from execsvc.store.abandoned import Abandoned
from execsvc.store.bot_facts import Missing, Today, Unfilled
from execsvc.store.orders import OrderRow
from execsvc.store.tripped import Tripped


class BotStore(Protocol):
    """The records of one bot, with one owner: the process that has opened them.

    Every method raises LedgerFailed when the records cannot be read or written, LedgerUnavailable
    where it may succeed later. Every write raises ClaimLost, and changes nothing, once another service has
    claimed the account of the bot. With ``reports`` the outbox for BotService is kept, too.
    """

    bot_id: str
    reports: bool
    reported: int
    """Rows that this process has put in the outbox."""

    def open(self) -> None:
        """Become the owner of the records, and make them when there are none.

        Raises LedgerBusy while another process owns them, LedgerFailed when they are unusable.
        """
        ...

    def close(self) -> None:
        """Give up the ownership; the records stay."""
        ...

    def is_owned_by(self, pid: int) -> bool:
        """True while the process ``pid`` of this machine owns the records.

        The pid in a LedgerBusy may belong to an unrelated process by now. False for a process that is
        gone, or that this user may not inspect.
        """
        ...

    def make_room(self) -> None:
        """Give up the room that is kept for a full disk, so that a sale can be recorded."""
        ...

    def may_reenter(self) -> bool:
        """True, once, when a bot whose stop loss closed its position may enter again."""
        ...

    def binding(self) -> Binding | None:
        """The binding of the last run of the bot; None when it never ran."""
        ...

    def bind(self, binding: Binding, precision: int | None) -> None:
        """Record the binding of the run that begins, and the quantity precision of its strategy."""
        ...

    def precision(self) -> int | None:
        """The quantity precision of the strategy that ran last."""
        ...

    def position(self, binding: Binding) -> Position:
        """The position of the bot under the mode, key and symbol of ``binding``."""
        ...

    def open_positions(self) -> list[tuple[Binding, Position]]:
        """Every position that is not flat, with the binding under which it was opened."""
        ...

    def keep_position(self, binding: Binding, position: Position) -> None:
        """Record ``position`` outside an order: dust, coins gone, a short dropped."""
        ...

    def state(self, strategy: str) -> str | None:
        """The kept state of ``strategy``, as JSON; None when it kept none."""
        ...

    def keep_state(self, strategy: str, state: str | None, at: Moment | None = None) -> None:
        """Record the state of ``strategy``, as JSON; None forgets it. ``at``: the strategy's own time.

        Not durable, as this happens every tick; a state that belongs to an order is durable with it.
        """
        ...

    def strategy_time(self) -> Moment | None:
        """The newest moment of the strategy's own time that was kept, None before the first."""
        ...

    def limits(self, key_id: str, symbol: str) -> Limits:
        """The limits seen last for ``symbol``; all of them unknown when none were ever seen."""
        ...

    def keep_limits(self, key_id: str, symbol: str, limits: Limits) -> None:
        """Record the limits of ``symbol``, for sells while no ticker can be had."""
        ...

    def paper_balance(self, key_id: str, symbol: str) -> tuple[Decimal, Decimal] | None:
        """Virtual base and quote of a PAPER bot; None before its first order."""
        ...

    def failing(self) -> tuple[datetime | None, Moment | None]:
        """The time since which liquidation has been failing, and the time of its last alarm."""
        ...

    def keep_failing(self, since: datetime | None, alarmed_at: datetime | None) -> None:
        """Record the time since which liquidation has been failing, and the time of its last alarm."""
        ...

    def log(self, at: datetime, event: str, text: str, data: dict[str, Any]) -> None:
        """Add a row to the execution log; no money depends on it, so the wait for a lock is short."""
        ...

    def book(
        self,
        binding: Binding,
        order: OrderRow,
        state: str | None = None,
        paper: tuple[Decimal, Decimal] | None = None,
    ) -> Position:
        """Book a settled order: order, position, result, state, paper balance, all of them or none.

        An order that is booked already changes the position only by the correction of its outcome
        since. Returns the position afterwards. The rows of the outbox are written with it.
        """
        ...

    def is_booked(self, client_order_id: str) -> bool:
        """True once an outcome of this order was booked."""
        ...

    def contested_places(self, strategy: str) -> list[Binding]:
        """The bindings under which orders of the bot wait for the decision of an operator."""
        ...

    def note_intent(self, intent: Intent) -> None:
        """Put in the outbox that an order is about to be sent."""
        ...

    def note_start(self, *, booting: bool) -> None:
        """Put in the outbox that a new process of the bot begins to trade."""
        ...

    def newest_order(self) -> datetime | None:
        """The time at which the newest live order was sent; None before the first."""
        ...

    def unfilled_entries(self, binding: Binding, most: int) -> Unfilled:
        """The newest entries under ``binding`` of which nothing was filled, ``most`` of them at most."""
        ...

    def fee_rate(self, binding: Binding) -> Decimal | None:
        """The fee in base of the last buy, as a part of its quantity; None where no buy shows it."""
        ...

    def entries_sent(self, binding: Binding, span: timedelta) -> list[datetime]:
        """The times of the entries in ``binding``'s mode that are less than ``span`` old."""
        ...

    def result(self, binding: Binding, day: date) -> Result:
        """The realised result in ``binding``'s mode and quote, in all and on ``day``."""
        ...

    def certain_today(self, binding: Binding, day: date, seen: int = 0) -> Today:
        """The result realised on ``day``, for a caller that may not take unknown for zero."""
        ...

    def tripped_guards(self) -> list[Tripped]:
        """The guards that are tripped, oldest first."""
        ...

    def keep_guard(self, guard: Tripped) -> None:
        """Record that a guard is tripped."""
        ...

    def drop_guard(self, guard: str) -> None:
        """Record that a guard is not tripped any more."""
        ...

    def size_answers(self, key_id: str, symbol: str) -> list[SizeAnswer]:
        """Every kept answer of the exchange to an amount, oldest first."""
        ...

    def add_size_answer(
        self, key_id: str, symbol: str, answer: SizeAnswer, kept_from: datetime
    ) -> None:
        """Record one answer, once, and drop those from before ``kept_from``."""
        ...

    def forget_size_answers(self) -> None:
        """Drop every answer, and count unfilled entries from here on."""
        ...

    def missing(self, binding: Binding) -> Missing | None:
        """The record of missing coins; None when none were missing at the last read."""
        ...

    def keep_missing(self, binding: Binding, seen: Missing | None) -> None:
        """Record the missing coins that a read has shown; None: none are missing."""
        ...

    def opened(self, binding: Binding, opened_at: datetime) -> Moment:
        """The moment, by both clocks, at which the position was opened whose time is ``opened_at``."""
        ...

    def abandon(self, at: datetime) -> list[Abandoned]:
        """Give up all positions of the bot, and decide its open orders by the facts known of them.

        An order of unknown outcome counts as filled by the lower bound that its answer named, a
        contested one as it was booked.
        """
        ...

    def still_possible(self, longest: float) -> float:
        """Seconds for which an open order of the bot may still execute, 0 without one.

        ``longest``: seconds after its intent within which an order executes, or not at all.
        """
        ...
