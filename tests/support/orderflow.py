"""A strategy's context made by hand: a market that is told tick by tick, and orders that obey."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, NamedTuple

from execsvc.errors import OrderRefused, Unavailable
from execsvc.model.balance import Balance, Holding
from execsvc.model.market import Depth, Level, Limits, Ticker, Trade
from execsvc.model.order import Fill, Side
from execsvc.model.position import Position
from execsvc.strategies.orderflow_exhaustion_v1.params import OrderflowParams
from execsvc.strategies.orderflow_exhaustion_v1.state import OrderflowState
from execsvc.strategies.orderflow_exhaustion_v1.strategy import OrderflowExhaustion

START = datetime(2026, 1, 1, tzinfo=timezone.utc)
START_MS = int(START.timestamp() * 1000)
D = Decimal


class Order(NamedTuple):
    kind: str
    amount: Decimal
    reason: str
    at: float


def ms(seconds: float) -> int:
    return START_MS + round(seconds * 1000)


def taker(side: str | None, worth: str | None, at: float | None) -> Trade:
    """A public trade worth ``worth`` quote, ``at`` seconds after the start."""
    return Trade(
        timestamp=None if at is None else ms(at),
        price=D(1),
        amount=None if worth is None else D(worth),
        side=side,
    )


class Bot:
    """The strategy with all that it sees; it is its own StrategyContext."""

    bot_id = "b"
    symbol = "BTC/USDT"

    def __init__(self, interval: float = 1.0, allocation: str | None = None, **params: Any) -> None:
        self.params = OrderflowParams.model_validate(params)
        self.state = OrderflowState()
        self.strategy = OrderflowExhaustion()
        self.interval = interval
        self.allocation = None if allocation is None else D(allocation)
        self.position = Position()
        self.free = {"BTC": D(1), "USDT": D(10_000)}
        self.orders: list[Order] = []
        self.lines: list[str] = []
        self.refuses = False
        self.fills_part = D(1)
        self.base_fee = D(0)
        self.average: Decimal | None = None
        self.loses_ticker = False
        self.seconds = 0.0
        self.clock_ahead = timedelta(0)
        self._depth: Depth | None = None
        self._trades: tuple[Trade, ...] | None = ()

    def tick(
        self,
        at: float,
        bid: str | None,
        ask: str | None = None,
        trades: Sequence[Trade] | None = (),
        stamp: int | None = -1,
    ) -> str:
        """One tick ``at`` seconds; ``bid`` None: no book, ``trades`` None: none to be had.

        Returns the phase after it. ``stamp`` is the book's, by default our own time.
        """
        self.seconds = at
        self._depth = None
        if bid is not None and ask is not None:
            self._depth = Depth(
                symbol=self.symbol,
                timestamp=ms(at) if stamp == -1 else stamp,
                bids=(Level(D(bid), D(1000)),),
                asks=(Level(D(ask), D(1000)),),
            )
        self._trades = None if trades is None else tuple(trades)
        try:
            self.strategy.execute(self)
        except (Unavailable, OrderRefused) as error:
            self.lines.append(str(error))
        return self.state.phase.value

    def restart(self) -> None:
        """As after a crash: a new process with the state that was kept."""
        self.state = OrderflowState.model_validate_json(self.state.model_dump_json())
        self.strategy = OrderflowExhaustion()

    @property
    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    @property
    def wall_clock(self) -> datetime:
        return self.now + self.clock_ahead

    def ticker(self) -> Ticker:
        raise AssertionError("the strategy judges on the book, never on the ticker")

    def depth(self, limit: int) -> Depth:
        assert limit == self.params.depth_limit
        if self._depth is None:
            raise Unavailable("GET /market/depth: gone")
        return self._depth

    def trades(self, limit: int) -> tuple[Trade, ...]:
        assert limit == self.params.trades_limit
        if self._trades is None:
            raise Unavailable("GET /market/trades: gone")
        return self._trades[-limit:]

    def balance(self) -> Balance:
        return Balance(
            assets=tuple(Holding(asset=a, free=f, locked=D(0)) for a, f in self.free.items())
        )

    def limits(self) -> Limits:
        return Limits()

    def free_base(self) -> Decimal:
        return self.free["BTC"] - self.position.tracked

    def buy(self, amount: Decimal, reason: str) -> Fill:
        fill = self._fill("buy", amount, reason)
        self.position = self.position.after(Side.BUY, fill, self.now)
        return fill

    def sell(self, amount: Decimal, reason: str) -> Fill:
        assert amount <= self.position.tracked
        fill = self._fill("sell", amount, reason)
        self.position = self.position.after(Side.SELL, fill, self.now)
        return fill

    def sell_owned(self, amount: Decimal, reason: str) -> Fill:
        assert amount <= self.free_base()
        fill = self._fill("sell_owned", amount, reason)
        self.position = Position(sold_short=fill.filled, entry_price=fill.price, opened_at=self.now)
        return fill

    def buy_back(self, amount: Decimal, reason: str) -> Fill:
        assert amount <= self.position.sold_short
        fill = self._fill("buy_back", amount, reason)
        left = self.position.sold_short - fill.filled
        self.position = self.position.model_copy(update={"sold_short": left})
        return fill

    def log(self, text: str) -> None:
        self.lines.append(text)

    def _fill(self, kind: str, amount: Decimal, reason: str) -> Fill:
        if self.loses_ticker:
            raise Unavailable("GET /market/ticker: gone")
        self.orders.append(Order(kind, amount, reason, self.seconds))
        if self.refuses:
            raise OrderRefused("insufficient balance")
        assert self._depth is not None or kind in ("sell", "buy_back")
        price = D(100)
        if self._depth is not None:
            buys = kind.startswith("buy")
            price = self._depth.best_ask if buys else self._depth.best_bid
        fee = self.base_fee if kind == "buy" else D(0)
        filled = amount * self.fills_part
        return Fill(filled=filled, average=self.average or price, base_fee=fee)


def calm(bot: Bot, at: float = 0) -> None:
    """A tick of a calm market: mid 100, spread 0.2."""
    assert bot.tick(at, "99.9", "100.1") == "FLAT"


def sell_pressure(bot: Bot, at: float = 1) -> str:
    """Takers sell for 100 quote, the spread doubles to 0.4, the mid falls to 99.7."""
    return bot.tick(at, "99.5", "99.9", [taker("sell", "100", at)])


def buy_pressure(bot: Bot, at: float = 1) -> str:
    """Takers buy for 100 quote, the spread doubles to 0.4, the mid rises to 100.3."""
    return bot.tick(at, "100.1", "100.5", [taker("buy", "100", at)])


def bought(**params: Any) -> Bot:
    """A bot that has faded SELL pressure: bought at 99.8 on tick 3; the extreme is 99.5."""
    bot = Bot(**params)
    calm(bot)
    sell_pressure(bot)
    for at in (2, 3):
        bot.tick(at, "99.6", "99.8", [taker("sell", "10", at)])
    assert bot.state.phase.value == "IN_POSITION"
    return bot


def sold(**params: Any) -> Bot:
    """A bot that has faded BUY pressure: sold at 100.2 on tick 3; the extreme is 100.5."""
    bot = Bot(**params)
    calm(bot)
    buy_pressure(bot)
    for at in (2, 3):
        bot.tick(at, "100.2", "100.4", [taker("buy", "10", at)])
    assert bot.state.phase.value == "IN_POSITION"
    return bot
