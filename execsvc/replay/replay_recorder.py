"""The observation of a replay: its orders, its ticks, its log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from loguru import logger

from execsvc.clock import now
from execsvc.events import EventName
from execsvc.model.bot import Binding
from execsvc.model.market import Symbol
from execsvc.model.order import Fill, Intent
from execsvc.paper.account import PaperAccount
from execsvc.replay.exchange import RecordedExchange
from execsvc.replay.result import Equity, Point
from execsvc.replay.trips import RoundTrips
from execsvc.store.bot_store import BotStore
from execsvc.store.orders import OrderRow
from execsvc.strategies.base import AnyStrategy
from execsvc.strategies.diagnostics import Diagnostics

_PROGRESS_EVERY = 500
"""Ticks between two reports of progress."""


class Tally:
    """Ticks that judged an entry, signals by kind, the ends of these, entries refused."""

    def __init__(self) -> None:
        self.looked = 0
        self.died: Counter[str] = Counter()
        self.signals: Counter[str] = Counter()
        self.ends: Counter[str] = Counter()
        self.cut_windows = 0
        self.no_entry = 0

    def add(self, tick: Diagnostics) -> None:
        """Count one tick."""
        self.looked += tick.judged
        self.cut_windows += tick.window_cut
        self.no_entry += tick.refused is not None
        for counter, value in (
            (self.died, tick.missing),
            (self.signals, tick.signal),
            (self.ends, tick.ended),
        ):
            if value is not None:
                counter[value] += 1


class ReplayRecorder:
    """The record of a replayed bot: joins orders to round trips instead of writing rows."""

    def __init__(self, ledger: BotStore, binding: Binding) -> None:
        self.trips = RoundTrips()
        self.skipped = 0
        self.errors = 0
        self.binding = binding
        self._ledger = ledger

    def log(self, level: str, event: EventName, text: str, **data: Any) -> None:
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

    def tick_ended(self, mid: Decimal) -> None:
        """Take the end of a tick: only then is it known that an exit left nothing but dust."""
        if self.trips.is_open and self._ledger.position(self.binding).side is None:
            self.trips.close(now(), mid)

    def traceback(self, event: EventName, text: str, error: BaseException) -> None:
        """Count an exception of the strategy, and log the first: it must not be overlooked."""
        self.errors += 1
        if self.errors == 1:
            logger.bind(event=event).opt(exception=error).error(text)


class TickObserver:
    """The observation of each tick once it is over.

    ``progress`` is called now and then. ``keeps_points`` keeps the data of a picture.
    """

    def __init__(
        self,
        strategy: AnyStrategy,
        exchange: RecordedExchange,
        account: PaperAccount,
        recorder: ReplayRecorder,
        keeps_points: bool,
        progress: Callable[[], None] | None = None,
    ) -> None:
        self.ticks = 0
        self.tally = Tally()
        self.equity = Equity()
        self.points: list[Point] = []
        self._strategy = strategy
        self._exchange = exchange
        self._account = account
        self._recorder = recorder
        self._base, self._quote = Symbol.parse(recorder.binding.symbol)
        self._keeps_points = keeps_points
        self._progress = progress

    def tick_ended(self) -> None:
        """Observe the end of a tick."""
        self.ticks += 1
        mid = self._exchange.mid
        self.equity.set(self._earned(mid))
        seen = self._strategy.diagnostics()
        self.tally.add(seen)
        if self._keeps_points:
            depth = self._exchange.depth("", 1)
            self._point(mid, depth.best_ask - depth.best_bid, seen)
        self._recorder.tick_ended(mid)
        if self._progress is not None and self.ticks % _PROGRESS_EVERY == 0:
            self._progress()

    def recording_ended(self) -> None:
        """Observe the end of the recording, when what was open is closed."""
        mid = self._exchange.mid
        self.equity.set(self._earned(mid))
        self._recorder.tick_ended(mid)

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
