"""Keeps a bot's position under the stop loss of its row, whatever its strategy does."""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol

from execsvc.clock import monotonic
from execsvc.errors import Banned, OrderRefused, Unavailable
from execsvc.execution import stop_loss as rule
from execsvc.execution.exchange import BOOK_LEVELS, Exchange
from execsvc.execution.liquidation import LiquidationAlarm
from execsvc.execution.order_service import OrderService
from execsvc.model.market import Depth, plain
from execsvc.model.order import OrderRequest, Purpose
from execsvc.model.position import Position
from execsvc.repeats import Repeats
from execsvc.runner.services import RunnerServices

RETRY = 1.0
"""Seconds [s] until a sale that failed is tried again, at least: a tick may come 20 times a second."""


class BookOfTick(Protocol):
    """The reads of a tick."""

    def book(self) -> Depth:
        """The book for a check of the position. Raises Unavailable."""
        ...


class StopLoss:
    """Checks the price, and closes the position once it is ``percent`` on its losing side.

    A decision stands: the guard is kept before the first order goes out, and while it is tripped
    every position is closed, at any price, also by the next process, and no matter how the row
    reads by then; a sale that failed is tried again at the next check that comes RETRY later or
    more. A ``percent`` of None decides nothing, and carries on with what was decided.
    """

    def __init__(
        self,
        services: RunnerServices,
        percent: Decimal | None,
        orders: OrderService,
        adapter: Exchange,
    ) -> None:
        self._percent = percent
        self._name = "stop loss" if percent is None else rule.named(percent)
        self._orders = orders
        self._adapter = adapter
        self._alarm = LiquidationAlarm(services)
        self._record = services.record
        self._reporter = services.reporter
        self._repeats = Repeats()
        self._failure = ""
        self._retry_at = float("-inf")

    def check(self, tick: BookOfTick | None = None) -> str | None:
        """Close the position if that is due.

        Return the error, None when there was none.

        Within a ``tick`` its read of the book is shared; without one the book is asked for. After a book that
        cannot be read the next check tries again. Raises LedgerFailed, StopRequested.
        """
        try:
            fault = self._check(tick)
        except Unavailable as unread:
            self._reporter.checked(judged=False)
            return self._not_known(unread)
        self._reporter.checked(judged=True)
        return fault

    def _check(self, tick: BookOfTick | None) -> str | None:
        """As :meth:`check`. Raises Unavailable where it is unknown whether the stop loss is reached."""
        stopped_out = self._orders.guards.is_stopped_out()
        position = self._orders.position
        if position.side is None:
            self._is_closed()
            return None
        if monotonic() < self._retry_at:
            return self._failure
        why = f"{self._name}: what is left of the position"
        if not stopped_out:
            if self._percent is None:
                return None
            found = self._reached(self._percent, position, tick)
            if found is None:
                return None
            why = found
            self._orders.guards.stop_out(why)
        return self._close(position, why)

    def _reached(self, percent: Decimal, position: Position, tick: BookOfTick | None) -> str | None:
        """The reason to close the position, None while there is none. Raises Unavailable."""
        rule.entry_price(position)  # nothing is read where the entry price is not known
        book = self._book() if tick is None else tick.book()
        price = rule.exit_price(position, book)
        if not rule.is_reached(percent, position, price):
            return None
        if rule.is_implausible(percent, position, book):
            first, price = price, rule.exit_price(position, self._book())
            if not rule.is_reached(percent, position, price):
                raise Unavailable(
                    f"one answer said {plain(first)}, the next one {plain(price)}: the first is not believed"
                )
        return rule.reason(percent, position, price)

    def _book(self) -> Depth:
        return self._adapter.depth(self._orders.binding.symbol, BOOK_LEVELS)

    def _close(self, position: Position, why: str) -> str | None:
        """Send the order that closes the position. Return why it failed, None when it sold."""
        try:
            if position.side == "BUY":
                request = OrderRequest(Purpose.LIQUIDATION, position.tracked, why)
            else:
                request = OrderRequest(Purpose.SHORT_EXIT, position.sold_short, why)
            self._orders.place(request)
        except (OrderRefused, Unavailable) as fault:
            if self._orders.position.side is not None:
                return self._failed(fault)
        if self._orders.position.side is None:
            self._alarm.update(flat=True)  # it may be an earlier process that failed
        return None

    def _failed(self, fault: Exception) -> str:
        """Report that nothing was sold: an operator is alerted as of any liquidation that fails."""
        text = f"{self._name}: the position could not be closed, it is tried again: {fault}"
        if self._repeats.note("failed", monotonic()) is not None:
            self._record.log("WARNING", "liquidation_attempt_failed", text)
        self._reporter.update(last_error=text)
        self._alarm.update(flat=False)
        self._failure, self._retry_at = text, monotonic() + RETRY
        return text

    def _is_closed(self) -> None:
        """End the alarm of an earlier failure, no matter which order closed the position."""
        if self._reporter.snapshot.liquidation_failed:
            self._alarm.update(flat=True)

    def _not_known(self, fault: Unavailable) -> str:
        """Report that it is unknown whether the stop loss is reached; a ban is reported for all
        bots at once.
        """
        text = f"{self._name} cannot be judged: {fault}"
        known = isinstance(fault, Banned)
        if not known and self._repeats.note("unknown", monotonic()) is not None:
            self._record.log("WARNING", "stop_loss_unknown", text)
        return text
