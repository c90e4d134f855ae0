"""The exchange of a replay: the recorded market as it is now, and fills on its book."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from decimal import Decimal

from execsvc.clock import SimulatedClock
from execsvc.errors import NotFound
from execsvc.model.balance import Balance, Holding
from execsvc.model.market import ZERO, Depth, Symbol, Ticker
from execsvc.model.order import Fill, Purpose, Side
from execsvc.model.public_trades import PublicTrades
from execsvc.model.stamps import EPOCH
from execsvc.paper.account import PaperAccount
from execsvc.paper.terms import Terms
from execsvc.paper.trading import MarketOrder
from execsvc.recording.tape import Tape

_MILLISECOND = timedelta(milliseconds=1)


class RecordedExchange:
    """The adapter's answers at the simulated time; nothing later is known to it.

    Reads take no time. An order takes ``latency`` seconds, and is filled on the book that stands by
    then.
    """

    is_exiting = False

    def __init__(
        self,
        tape: Tape,
        clock: SimulatedClock,
        symbol: str,
        account: PaperAccount,
        terms: Terms,
        latency: float,
    ) -> None:
        self._tape = tape
        self._clock = clock
        self._assets = Symbol.parse(symbol)
        self._account = account
        self._terms = terms
        self._latency = latency

    @property
    def now_ms(self) -> int:
        """The simulated time, in ms since the epoch."""
        return (self._clock.now() - EPOCH) // _MILLISECOND

    @property
    def mid(self) -> Decimal:
        """Half way between best bid and best ask."""
        return self._tape.mid

    def pass_time(self, seconds: float) -> None:
        """Let clock and market move on together."""
        self._clock.advance(seconds)
        self._tape.play(self.now_ms)

    def ends_within(self, seconds: float) -> bool:
        """As :meth:`pass_time`, but not beyond the last line; True when that came first."""
        until = self.now_ms + round(seconds * 1000)
        self._tape.play(until)
        ends = self._tape.ended and self._tape.last < until
        self._clock.advance((self._tape.last - self.now_ms) / 1000 if ends else seconds)
        return ends

    def calls_for(self, purpose: Purpose) -> AbstractContextManager[None]:
        """A block without effect: a recorded exchange bans no account."""
        return nullcontext()

    def balance(self, *assets: str) -> Balance:
        """The balance of the paper account."""
        free = self._account.free
        return Balance(
            assets=tuple(Holding(asset=a, free=free(a), locked=ZERO) for a in self._assets)
        )

    def ticker(self, symbol: str) -> Ticker:
        """The last recorded trade's price."""
        return Ticker(symbol=symbol, price=self._tape.price, limits=self._terms.limits)

    def depth(self, symbol: str, limit: int) -> Depth:
        """The recorded book, stamped with the simulated time."""
        return self._tape.depth(symbol, self.now_ms, limit)

    def trades(self, symbol: str, limit: int) -> PublicTrades:
        """The last recorded trades."""
        return self._tape.trades(limit)

    def connect_for_order(self, timeout: float, interruptible: bool) -> None:
        """Do nothing: there is no network to connect to."""

    def place_order(
        self,
        client_order_id: str,
        symbol: str,
        side: Side,
        amount: Decimal,
        timeout: float,
        send_by: float,
    ) -> Fill:
        """Fill a market order on the book after the latency. Raises OrderRefused."""
        self.pass_time(self._latency)
        depth = self._tape.depth(symbol, self.now_ms)
        return self._account.execute(
            depth, self._terms, MarketOrder(side, amount), self._clock.now()
        )

    def find_order(self, client_order_id: str, symbol: str, side: Side, amount: Decimal) -> Fill:
        """Raise NotFound: every order of a recording is answered at once."""
        raise NotFound(f"GET /order/{client_order_id}")
