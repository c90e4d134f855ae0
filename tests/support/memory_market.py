"""A bot's own order path on an exchange in memory: for tests over many markets, without a process."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from decimal import Decimal

from support.stores import InMemoryPause, store_with_pause

from execsvc.clients.exchange_adapter import ExchangeAdapter
from execsvc.clients.exchange_words import is_certain
from execsvc.clock import SimulatedClock
from execsvc.errors import NotFound, OrderRefused, OutcomeUnknown
from execsvc.execution.composition import Composition
from execsvc.execution.liquidation import Liquidation
from execsvc.execution.sizing import OrderTerms
from execsvc.model.balance import Balance, Holding
from execsvc.model.bot import Binding, Mode
from execsvc.model.market import ZERO, Depth, Level, Limits, Ticker
from execsvc.model.order import Fill, OrderRequest, Purpose, Side
from execsvc.model.position import Position
from execsvc.paper.account import PaperAccount
from execsvc.paper.terms import Fault, NotTaken, Terms
from execsvc.paper.trading import MarketOrder
from execsvc.replay.services import ReplayReporter, SimulatedWaits
from execsvc.runner.record import Record
from execsvc.runner.services import BotServices, RunnerServices
from execsvc.sandbox.dialects import Dialect, refusal_text

BINDING = Binding(mode=Mode.LIVE, key_id="k1", symbol="BTC/USDT", strategy="test_trading_v1")
NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
_DEEP = Decimal(10) ** 12


class MemoryExchange(ExchangeAdapter):
    """Takes and refuses orders on ``terms``, in the words of ``dialect``, at one price."""

    def __init__(
        self,
        clock: SimulatedClock,
        price: Decimal,
        terms: Terms,
        published: Limits,
        dialect: Dialect,
        balances: dict[str, Decimal],
    ) -> None:
        self._clock = clock
        self.terms = terms
        self._price = price
        self._published = published
        self._dialect = dialect
        self.account = PaperAccount(balances)
        self.reserve = Decimal(0)
        """The part of a buy's cost that has to be free beside it."""
        self.sent: list[Decimal] = []
        self.refused: list[Decimal] = []

    def pass_time(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        self._clock.advance(seconds)

    def ends_within(self, seconds: float) -> bool:
        """Let ``seconds`` pass; this market never ends."""
        self.pass_time(seconds)
        return False

    def balance(self, *assets: str) -> Balance:
        """The coins of the account."""
        free = self.account.free
        return Balance(assets=tuple(Holding(asset=a, free=free(a), locked=ZERO) for a in assets))

    def ticker(self, symbol: str) -> Ticker:
        """The one price, and what is published of the limits."""
        return Ticker(symbol=symbol, price=self._price, limits=self._published)

    def find_order(self, client_order_id: str, symbol: str, side: Side, amount: Decimal) -> Fill:
        """Raises NotFound, as today's adapter."""
        raise NotFound("Not Found")

    def connect_for_order(self, timeout: float, interruptible: bool) -> None:
        """There is no network."""

    def place_order(
        self,
        client_order_id: str,
        symbol: str,
        side: Side,
        amount: Decimal,
        timeout: float,
        send_by: float,
    ) -> Fill:
        """Fill or refuse a market order."""
        self._clock.advance(0.05)
        tick = self._price / 10**6
        book = Depth(
            symbol=symbol,
            bids=(Level(self._price, _DEEP),),
            asks=(Level(self._price + tick, _DEEP),),
        )
        self.sent.append(amount)
        try:
            cost = amount * self._price * (1 + self.reserve)
            if side is Side.BUY and self.reserve and cost > self.account.free("USDT"):
                raise NotTaken(Fault.BALANCE, "reserved")
            return self.account.execute(
                book, self.terms, MarketOrder(side, amount), self._clock.now()
            )
        except OrderRefused as error:
            self.refused.append(amount)
            text = f"POST /order: HTTP 500: {refusal_text(self._dialect, error)}"
            raise OrderRefused(text) if is_certain(text) else OutcomeUnknown(text) from None


class MemoryBot:
    """One bot's orders, ledger and journal against ``exchange``; the clock has to be installed."""

    def __init__(
        self,
        exchange: MemoryExchange,
        allocation: Decimal | None = None,
        precision: int | None = None,
        pause: InMemoryPause | None = None,
    ) -> None:
        self.exchange = exchange
        self._store = store_with_pause(BINDING.key_id, pause)
        self.ledger = self._store.bot("b1")
        self.ledger.open()
        self.ledger.bind(BINDING, precision)
        self._journal = self._store.account(BINDING.key_id)
        self._terms = OrderTerms(allocation, precision)
        self.reporter = ReplayReporter()
        self._waits = SimulatedWaits(exchange)
        self.restart()

    def restart(self) -> None:
        """Put everything but the ledger and the journal together anew, as a new process does."""
        record = Record("b1", self.ledger)
        self._services: RunnerServices = BotServices(
            "b1", self.ledger, record, self.reporter, self._waits
        )
        composition = Composition(self._services, self._store)
        self.order_service = composition.order_service(BINDING, self.exchange, self._terms)

    @property
    def position(self) -> Position:
        """The quantity that the bot tracks, by its ledger."""
        return self.ledger.position(BINDING)

    def hold(self, tracked: Decimal) -> None:
        """Let the bot have bought ``tracked``."""
        self.ledger.keep_position(BINDING, Position(tracked=tracked))

    def ask_release(self) -> None:
        """Record an operator's release, which the next tick or sell carries out."""
        self._journal.ask_release("b1", NOON)

    def order(self, purpose: Purpose, quantity: Decimal) -> Fill:
        """The fill of an order for ``quantity``."""
        return self.order_service.place(OrderRequest(purpose, quantity, "test"))

    def liquidate(self, attempts: int = 5) -> bool:
        """Close the position; whether that was done."""
        settings = self._services.settings._replace(liquidation_attempts=attempts)
        return Liquidation(replace(self._services, settings=settings), self.order_service).run()
