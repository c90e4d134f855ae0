"""A strategy that trades on the ticker's price, and all that such a strategy sees."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, NamedTuple

from execsvc.errors import OrderRefused, Unavailable
from execsvc.model.balance import Balance, Holding
from execsvc.model.market import Depth, Level, Limits, Ticker, round_down
from execsvc.model.order import Fill, Side
from execsvc.model.position import Position
from execsvc.strategies.base import AnyStrategy

START = datetime(2026, 1, 1, tzinfo=timezone.utc)
D = Decimal


class Order(NamedTuple):
    side: Side
    amount: Decimal
    price: Decimal
    reason: str
    at: float


class Died(BaseException):
    """The process is killed after an order was filled, before its tick has ended."""


class PriceBot:
    """The strategy with all that it sees; it is its own StrategyContext.

    ``fate`` is what becomes of the orders of a tick: ``ok``, ``refused`` (nothing is filled), ``part`` (a
    third of the amount is filled), ``unread`` (a read that the order needs fails), ``dies`` (the order is
    filled, and the process killed before the end of the tick).
    """

    bot_id = "b"
    symbol = "BTC/USDT"
    interval = 5.0

    def __init__(
        self, strategy: type[AnyStrategy], allocation: str | None = None, **params: Any
    ) -> None:
        self.kind = strategy
        self.strategy = strategy()
        self.params: Any = strategy.Params.model_validate(params)
        self.state: Any = strategy.State()
        self.allocation = None if allocation is None else D(allocation)
        self.position = Position()
        self.free = D(10_000)
        self.decimals = 12
        self.base_fee = D(0)
        self.minima = Limits()
        self.book: tuple[str, str] | None = None
        """Best bid and best ask; by default next to the price of the tick."""
        self.orders: list[Order] = []
        self.lines: list[str] = []
        self.seconds = 0.0
        self.reads = 0
        self.fate = "ok"
        self._price: Decimal | None = None
        self._recorded = ""
        """The state as it goes with an order that is under way."""

    def tick(self, at: float, price: str | Decimal | None, fate: str = "ok") -> None:
        """One tick ``at`` seconds; without a price the ticker cannot be read."""
        self.seconds, self.fate = at, fate
        self._price = None if price is None else D(price)
        try:
            self.strategy.execute(self)
        except (Unavailable, OrderRefused) as error:
            self.lines.append(str(error))
        except Died:
            self.restart(self._recorded)

    def restart(self, kept: str | None = None) -> None:
        """Go on in a new process, with the state that the last one kept."""
        self.state = self.kind.State.model_validate_json(kept or self.state.model_dump_json())
        self.strategy = self.kind()

    @property
    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    @property
    def sides(self) -> str:
        """The first letters of the sides of all orders."""
        return "".join(order.side.value[0] for order in self.orders)

    def ticker(self) -> Ticker:
        self.reads += 1
        if self._price is None:
            raise Unavailable("GET /market/ticker: gone")
        return Ticker(symbol=self.symbol, price=self._price, limits=self.minima)

    def depth(self, limit: int) -> Depth:
        price = self.ticker().price
        bid, ask = (price - D("0.01"), price) if self.book is None else map(D, self.book)
        return Depth(symbol=self.symbol, bids=(Level(bid, D(1000)),), asks=(Level(ask, D(1000)),))

    def balance(self) -> Balance:
        return Balance(assets=(Holding(asset="USDT", free=self.free, locked=D(0)),))

    def buy(self, amount: Decimal, reason: str) -> Fill:
        return self._trade(Side.BUY, amount, reason)

    def sell(self, amount: Decimal, reason: str) -> Fill:
        assert amount <= self.position.tracked
        return self._trade(Side.SELL, amount, reason)

    def log(self, text: str) -> None:
        self.lines.append(text)

    def _trade(self, side: Side, amount: Decimal, reason: str) -> Fill:
        assert self._price is not None
        amount = round_down(amount, self.decimals)
        if self.fate == "unread":
            raise Unavailable("GET /balance: gone")
        if self.fate == "refused" or amount <= 0:
            raise OrderRefused("no")
        self._recorded = self.state.model_dump_json()
        filled = round_down(amount / 3, self.decimals) if self.fate == "part" else amount
        fee = filled * self.base_fee if side is Side.BUY else D(0)
        fill = Fill(filled=filled, average=self._price, base_fee=fee)
        self.orders.append(Order(side, filled, self._price, reason, self.seconds))
        self.position = self.position.after(side, fill, self.now)
        rest = round_down(self.position.tracked, self.decimals)
        if (
            side is Side.SELL
            and rest < self.position.tracked
            and self.minima.refuses(rest, self._price)
        ):
            self.position = self.position.model_copy(update={"dust": True})
        self.free -= side.sign * filled * self._price
        if self.fate == "dies":
            raise Died
        return fill
