"""The observation of a replay: its orders, its ticks, its log."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from loguru import logger

from execsvc.events import EventName
from execsvc.model.bot import Binding
from execsvc.model.order import Fill, Intent
from execsvc.model.symbol import Symbol
from execsvc.paper.account import PaperAccount
from execsvc.replay.exchange import RecordedExchange
from execsvc.replay.result import Equity, Point
from execsvc.replay.tally import Tally
from execsvc.replay.trips import TripBook
from execsvc.store.bot_store import BotStore
from execsvc.store.orders import OrderRow
from execsvc.strategies.base import AnyStrategy
from execsvc.strategies.diagnostics import Diagnostics


class Witness:
    """The record of a replayed bot: joins orders to round trips instead of writing rows."""

    def __init__(self, ledger: BotStore, binding: Binding) -> None:
        self.trips = TripBook()
        self.skipped = 0
        self.errors = 0
        self._positions = ledger
        self._binding = binding

    def say(self, level: str, event: EventName, text: str, **data: Any) -> None:
        """Count a line of the log."""
        self.skipped += event == "tick_skipped"

    def intent(self, intent: Intent) -> None:
        """Do nothing: an order counts once its outcome is known."""

    def priced(self, intent: Intent, fill: Fill) -> None:
        """Do nothing: each fill on a book has a price."""

    def outcome(self, order: OrderRow) -> None:
        """Take an order with its outcome; it is booked already."""
        if order.fill.filled > 0:
            self.trips.add(order)

    def look(self, at: datetime, mid: Decimal) -> None:
        """Judge the end of a tick: only then is it known that an exit left nothing but dust."""
        if self.trips.is_open and self._positions.position(self._binding).side is None:
            self.trips.close(at, mid)

    def traceback(self, event: EventName, text: str, error: BaseException) -> None:
        """Count an exception of the strategy, and log the first: it must not be overlooked."""
        self.errors += 1
        if self.errors == 1:
            logger.bind(event=event).opt(exception=error).error(text)


class Observer:
    """The observation of each tick once it is over."""

    def __init__(
        self,
        strategy: AnyStrategy,
        exchange: RecordedExchange,
        account: PaperAccount,
        symbol: str,
        keeps_points: bool,
    ) -> None:
        self.ticks = 0
        self.tally = Tally()
        self.equity = Equity()
        self.points: list[Point] = []
        self._strategy = strategy
        self._exchange = exchange
        self._account = account
        self._base, self._quote = Symbol.parse(symbol)
        self._keeps_points = keeps_points

    def tick(self) -> Decimal:
        """Observe the end of a tick. Returns the mid."""
        self.ticks += 1
        depth = self._exchange.depth("", 1)
        self.equity.set(self._earned(depth.mid))
        seen = self._strategy.diagnostics()
        self.tally.add(seen)
        if self._keeps_points:
            spread = depth.best_ask - depth.best_bid
            self._point(depth.mid, spread, seen)
        return depth.mid

    def close(self) -> Decimal:
        """Observe the end of the recording, when what was open is closed. Returns the mid."""
        mid = self._exchange.depth("", 1).mid
        self.equity.set(self._earned(mid))
        return mid

    def _earned(self, mid: Decimal) -> Decimal:
        initial, free = self._account.initial, self._account.free
        base = free(self._base) - initial[self._base]
        return free(self._quote) - initial[self._quote] + base * mid

    def _point(self, mid: Decimal, spread: Decimal, seen: Diagnostics) -> None:
        self.points.append(
            Point(
                self._exchange.now_ms / 1000,
                float(mid),
                float(spread),
                float(seen.bought),
                float(seen.sold),
                float(self.equity.now),
            )
        )
