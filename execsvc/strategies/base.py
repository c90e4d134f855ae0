"""The interfaces of a strategy and of its context."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from pydantic import BaseModel

from execsvc.model.balance import Balance
from execsvc.model.market import Depth, Limits, Ticker, Trade
from execsvc.model.order import Fill
from execsvc.model.position import Position
from execsvc.strategies.diagnostics import NONE, Diagnostics

ParamsT = TypeVar("ParamsT", bound=BaseModel)
StateT = TypeVar("StateT", bound=BaseModel)
ParamsT_co = TypeVar("ParamsT_co", bound=BaseModel, covariant=True)
StateT_co = TypeVar("StateT_co", bound=BaseModel, covariant=True)


class StrategyContext(Protocol[ParamsT_co, StateT_co]):
    """The reads and orders of a strategy during one tick.

    Reads raise Unavailable when they give no usable answer; a strategy that lets it pass skips the
    tick. Market data and balance are read at most once a tick.
    """

    @property
    def bot_id(self) -> str:
        """The id of the bot."""
        ...

    @property
    def symbol(self) -> str:
        """``BASE/QUOTE``."""
        ...

    @property
    def params(self) -> ParamsT_co:
        """The bot's parameters, validated."""
        ...

    @property
    def state(self) -> StateT_co:
        """The strategy's own state; recorded with each order and at the end of each tick."""
        ...

    @property
    def allocation(self) -> Decimal | None:
        """Quote that the bot may hold at most; None for no cap."""
        ...

    @property
    def interval(self) -> float:
        """Seconds from one tick to the next."""
        ...

    @property
    def now(self) -> datetime:
        """Aware UTC at the start of this tick, for durations.

        No step of the machine's clock moves it: it goes on with CLOCK_BOOTTIME, also in the next
        process of the bot, so that a difference of two of them is the time that has passed.
        ``opened_at`` of the position is in the same time.
        """
        ...

    @property
    def wall_clock(self) -> datetime:
        """Aware UTC at the start of this tick, as the machine's clock is set: for stamps and the hour."""
        ...

    @property
    def position(self) -> Position:
        """The base that the bot bought and still holds, by its own ledger."""
        ...

    def ticker(self) -> Ticker:
        """Last price and limits."""
        ...

    def depth(self, limit: int) -> Depth:
        """The order book, ``limit`` levels a side."""
        ...

    def trades(self, limit: int) -> Sequence[Trade]:
        """The last ``limit`` public trades, oldest first."""
        ...

    def balance(self) -> Balance:
        """The balance of the account; of a PAPER bot, its virtual balance."""
        ...

    def limits(self) -> Limits:
        """The limits of the smallest order that the exchange takes."""
        ...

    def free_base(self) -> Decimal:
        """Base that the user owns: free, less the quantity that all bots of the account track of
        that asset.

        Raises OrderRefused while that is not certain.
        """
        ...

    def buy(self, amount: Decimal, reason: str) -> Fill:
        """Buy up to ``amount`` base at market; capped by allocation and free quote.

        Returns the fill. Raises OrderRefused when nothing was filled; GuardRefused, a kind of it,
        when a limit of the settings stands against any entry now.
        """
        ...

    def sell(self, amount: Decimal, reason: str) -> Fill:
        """Sell up to ``amount`` base of the bot's own position at market.

        Returns the fill. Raises OrderRefused when nothing was filled.
        """
        ...

    def sell_owned(self, amount: Decimal, reason: str) -> Fill:
        """Sell up to ``amount`` of :meth:`free_base` at market; capped by the allocation.

        It is kept as ``position.sold_short``. Returns the fill. Raises OrderRefused when nothing
        was filled; GuardRefused as :meth:`buy` does.
        """
        ...

    def buy_back(self, amount: Decimal, reason: str) -> Fill:
        """Buy back up to ``amount`` base that :meth:`sell_owned` sold, at market.

        A part that the free quote does not pay for, or that is too little to be bought, is dropped:
        the position is closed then. Returns the fill. Raises OrderRefused when nothing was filled.
        """
        ...

    def log(self, text: str) -> None:
        """Write a line to the log and to the bot's execution log."""
        ...


class NoState(BaseModel):
    """The state of a strategy that keeps none."""


class Strategy(ABC, Generic[ParamsT, StateT]):
    """One strategy: an id, models of its parameters and state, and its logic.

    An instance lives as long as its bot's process; values that must survive go into the state.
    """

    id: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()
    Params: ClassVar[type[BaseModel]]
    State: ClassVar[type[BaseModel]] = NoState
    example_params: ClassVar[dict[str, Any]] = {}
    """Parameters for trying the strategy, at a price of 50 000.

    With no parameter required, the defaults may do.
    """

    def on_start(self, ctx: StrategyContext[ParamsT, StateT]) -> None:
        """Prepare the strategy; called once in a process, before the first tick, with state and
        position recovered.
        """

    @abstractmethod
    def execute(self, ctx: StrategyContext[ParamsT, StateT]) -> None:
        """Run one tick."""

    def on_stop(self, ctx: StrategyContext[ParamsT, StateT]) -> None:
        """End the strategy; called when the bot is stopped, before the rest of its position is
        sold.
        """

    def diagnostics(self) -> Diagnostics:
        """The observations and decisions of the last tick, for replay's report. Changes nothing."""
        return NONE


AnyStrategy = Strategy[Any, Any]
AnyContext = StrategyContext[Any, Any]
