"""The view of a strategy during one tick."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from pydantic import BaseModel

from execsvc.clock import monotonic
from execsvc.clock import now as wall_clock
from execsvc.errors import OrderRefused
from execsvc.execution.exchange import BOOK_LEVELS, Exchange
from execsvc.execution.order_service import OrderService
from execsvc.execution.sizing import may_hold_nothing
from execsvc.model.balance import Balance
from execsvc.model.bot import BotSpec
from execsvc.model.market import Depth, Limits, Symbol, Ticker, Trade, plain
from execsvc.model.order import Fill, OrderRequest, Purpose
from execsvc.model.position import Position
from execsvc.model.public_trades import PublicTrades
from execsvc.runner.services import LoopRecord
from execsvc.runner.strategy_time import StrategyTime
from execsvc.strategies.base import AnyStrategy


class StrategyRun(NamedTuple):
    """A strategy, and the row and the parameters by which it runs; ``interval`` in seconds."""

    spec: BotSpec
    strategy: AnyStrategy
    params: BaseModel
    interval: float


class TickContext:
    """A StrategyContext; made once, and refreshed for each tick."""

    def __init__(
        self,
        run: StrategyRun,
        state: BaseModel,
        adapter: Exchange,
        orders: OrderService,
        record: LoopRecord,
        time: StrategyTime,
    ) -> None:
        self.bot_id = run.spec.bot_id
        self.symbol = run.spec.binding.symbol
        self.allocation = run.spec.allocation
        self.params = run.params
        self.state = state
        self.interval = run.interval
        self._adapter = adapter
        self._orders = orders
        self._record = record
        self._time = time
        self._thread = threading.get_ident()
        self._stopping = False
        self._odd_sides_logged = False
        self._now: datetime | None = None
        self._wall_clock: datetime | None = None
        self._ticker: Ticker | None = None
        self._depth: dict[int, Depth] = {}
        self._trades: dict[int, PublicTrades] = {}
        self._balance: Balance | None = None
        self._levels: int | None = None
        """The numbers of levels of the book that the strategy has asked for since the runner's last
        check.
        """

    def begin_tick(self, now: datetime, stopping: bool = False) -> None:
        """Forget all reads of the tick before. ``stopping`` forbids entries from now on."""
        self._now, self._wall_clock = now, wall_clock()
        self._stopping = stopping
        self._ticker = None
        self._depth.clear()
        self._trades.clear()
        self._balance = None
        if not stopping:
            self._orders.guards.begin_tick()

    @property
    def now(self) -> datetime:
        """Aware UTC at the start of this tick, unaffected by steps of the wall clock."""
        assert self._now is not None, "no tick has begun"
        return self._now

    @property
    def wall_clock(self) -> datetime:
        """Aware UTC at the start of this tick, as the machine's clock is set."""
        assert self._wall_clock is not None, "no tick has begun"
        return self._wall_clock

    @property
    def position(self) -> Position:
        """The position that the bot bought and still holds, opened in the time of :attr:`now`."""
        return self._time.of(self._orders.position)

    def ticker(self) -> Ticker:
        """Last price and limits. Raises Unavailable."""
        if self._ticker is None:
            asked_at = monotonic()
            self._ticker = self._adapter.ticker(self.symbol)
            self._orders.guards.read("ticker", asked_at)
        return self._ticker

    def depth(self, limit: int) -> Depth:
        """The order book, ``limit`` levels a side. Raises Unavailable."""
        if limit not in self._depth:
            asked_at = monotonic()
            self._depth[limit] = depth = self._adapter.depth(self.symbol, limit)
            self._orders.guards.read("depth", asked_at, depth.timestamp)
        self._levels = limit
        return self._depth[limit]

    def book(self) -> Depth:
        """The book for the runner's own check, read before the strategy reads.

        Raises Unavailable.

        A strategy that asked for the book in the last tick gets the same answer in this tick: one
        read serves both. For any other strategy it does not count as a read of the tick, and no
        guard judges it.
        """
        levels, self._levels = self._levels, None
        if levels is None:
            return self._adapter.depth(self.symbol, BOOK_LEVELS)
        depth = self.depth(levels)  # where it fails, the next check asks for a few levels only
        self._levels = None
        return depth

    def trades(self, limit: int) -> Sequence[Trade]:
        """The last ``limit`` public trades, oldest first. Raises Unavailable."""
        if limit not in self._trades:
            asked_at = monotonic()
            trades = PublicTrades.of(self._adapter.trades(self.symbol, limit))
            self._trades[limit] = trades
            self._orders.guards.read("trades", asked_at, _ahead(trades))
            self._log_odd_sides(trades)
        return self._trades[limit]

    def balance(self) -> Balance:
        """The balance that can be traded with. Raises Unavailable."""
        if self._balance is None:
            self._balance = self._orders.venue.balance()
        return self._balance

    def limits(self) -> Limits:
        """The limits of an order. Raises Unavailable."""
        return self.ticker().limits

    def buy(self, amount: Decimal, reason: str) -> Fill:
        """Buy up to ``amount`` base. Raises OrderRefused when nothing was bought."""
        return self._place(Purpose.ENTRY, self._entry(amount), reason)

    def sell(self, amount: Decimal, reason: str) -> Fill:
        """Sell up to ``amount`` base of the position. Raises OrderRefused when nothing was sold."""
        purpose = Purpose.LIQUIDATION if self._stopping else Purpose.EXIT
        return self._place(purpose, self._checked(amount), reason)

    def free_base(self) -> Decimal:
        """Base that the user owns. Raises OrderRefused, Unavailable."""
        return self._orders.free_base()

    def sell_owned(self, amount: Decimal, reason: str) -> Fill:
        """Sell up to ``amount`` of the free base. Raises OrderRefused when nothing was sold."""
        return self._place(Purpose.SHORT_ENTRY, self._entry(amount), reason)

    def buy_back(self, amount: Decimal, reason: str) -> Fill:
        """Buy back up to ``amount`` of the base sold short.

        Raises OrderRefused when nothing was bought.
        """
        self._refuse_while_stopping()
        return self._place(Purpose.SHORT_EXIT, self._checked(amount), reason)

    def log(self, text: str) -> None:
        """Write a line to the log and to the bot's execution log."""
        self._record.log("INFO", "strategy_said", text)

    def _log_odd_sides(self, trades: PublicTrades) -> None:
        """Log once in this process how many trades have no usable side and are left out."""
        odd = [] if self._odd_sides_logged else trades.odd_sides()
        if odd:
            self._odd_sides_logged = True
            self._record.log(
                "WARNING",
                "trades_dropped",
                f"{len(odd)} of {len(trades)} trades of {self.symbol} count for nothing: their side "
                f"is neither buy nor sell, but {odd[0]!r}",
            )

    def _entry(self, amount: object) -> Decimal:
        """The amount of an entry. Raises OrderRefused where no entry may be made."""
        self._refuse_while_stopping()
        refusal = may_hold_nothing(self.allocation)
        if refusal is not None:
            raise OrderRefused(refusal)
        return self._checked(amount)

    def _checked(self, amount: object) -> Decimal:
        """``amount`` as a Decimal to order; forgets the balance that was read, which an order
        changes.

        The account's turn is held by the process, so a second thread would not wait for it. Raises
        OrderRefused for a value that is no amount.
        """
        if threading.get_ident() != self._thread:
            raise OrderRefused("orders are placed by the thread that runs the strategy alone")
        seen, self._balance = self._balance, None
        if not isinstance(amount, Decimal) or not amount.is_finite() or amount < 0:
            raise OrderRefused(f"{amount!r} is not a positive Decimal")
        if amount == 0:
            raise OrderRefused(f"an order of 0 {self.symbol}: {self._reads_of_size(seen)}")
        return amount

    def _reads_of_size(self, balance: Balance | None) -> str:
        """The answers to the reads of this tick on which the size of an order may depend, as text."""
        reads = []
        if balance is not None:
            free = [f"{plain(balance.free(asset))} {asset}" for asset in Symbol.parse(self.symbol)]
            reads.append(f"GET /balance says free {' and '.join(free)}")
        if self._ticker is not None:
            reads.append(f"GET /market/ticker says {plain(self._ticker.price)}")
        return ", ".join(reads) or "the strategy asked for nothing"

    def _refuse_while_stopping(self) -> None:
        if self._stopping:
            raise OrderRefused("the bot is stopping: no order that opens or adds")

    def _place(self, purpose: Purpose, quantity: Decimal, reason: str) -> Fill:
        state = self.state.model_dump_json()
        return self._orders.place(OrderRequest(purpose, quantity, reason, state))


def _ahead(trades: PublicTrades) -> int | None:
    """The newest stamp of ``trades`` where it is ahead of our clock, in ms.

    A stamp that is behind does not show the age of the read: there may have been no trade since.
    """
    newest = trades.newest
    return newest if newest is not None and newest > wall_clock().timestamp() * 1000 else None
