"""ExchangeAdapterService: balances, market data, and the one way to order."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Literal, Protocol, TypeVar

from execsvc.clients.answers import HttpAnswer, read
from execsvc.clients.exchange_words import where_words_begin
from execsvc.clients.http import HttpClient, NotSent, json_object, segment
from execsvc.clients.market_answers import (
    Unusual,
    check_depth,
    check_trades,
    depth_of,
    trades_of,
)
from execsvc.clients.order_answer import fill_of_answer, fill_of_lookup
from execsvc.errors import Banned, NotFound, OrderRefused, OutcomeUnknown, Unavailable
from execsvc.model.balance import Balance
from execsvc.model.market import Depth, Ticker, Trades
from execsvc.model.order import Fill, Purpose, Side
from execsvc.model.public_trades import PublicTrades, RowNumbers

_CALL = "POST /order"


class Throttle(Protocol):
    """The memory, shared by all bots of an account, of how long the account must not be used."""

    def remaining(self) -> float:
        """Seconds for which nothing may be asked for the account; 0 when free."""
        ...

    def pause(self, seconds: float) -> None:
        """Record that the service asks not to use the account for so long."""
        ...

    def banned(self) -> float:
        """Seconds for which nothing but exits may be asked for the account; 0 or less when free."""
        ...

    def ban(self, seconds: float, why: str) -> None:
        """Record that the exchange refuses every call for so long."""
        ...


Market = TypeVar("Market", Ticker, Depth, Trades)
Read = Literal["balance", "ticker", "depth", "trades", "order"]
"""The calls that may be repeated."""


def _count_nothing(_: Read) -> None:
    """Count nothing: a caller that needs no counts."""


def _notice_nothing() -> None:
    """Do nothing: a caller that needs no notice."""


class ExchangeAdapter:
    """The adapter as one account sees it.

    Reads raise Unavailable. ``failed`` is called after every read that gave no usable answer, with
    all its retries; ``succeeded`` after every read that did.
    """

    is_exiting = False
    """True while its calls are for an exit, which no ban holds up."""

    def __init__(
        self,
        http: HttpClient,
        key_id: str,
        throttle: Throttle,
        failed: Callable[[Read], None] = _count_nothing,
        succeeded: Callable[[], None] = _notice_nothing,
    ) -> None:
        self._http = http
        self._key_id = key_id
        self._throttle = throttle
        self._failed = failed
        self._succeeded = succeeded
        self._numbers: dict[tuple[str, int], RowNumbers] = {}
        """The rows of the last trades, by symbol and limit."""

    @contextmanager
    def calls_for(self, purpose: Purpose) -> Iterator[None]:
        """Let the calls of the block go out in spite of a ban, unless ``purpose`` is an entry."""
        before, self.is_exiting = self.is_exiting, not purpose.opens or self.is_exiting
        try:
            yield
        finally:
            self.is_exiting = before

    def balance(self, *assets: str) -> Balance:
        """The present balance of the account, each asset in its own units.

        Raises Unavailable also when a row of one of ``assets`` cannot be read; rows of other assets
        are not looked at.
        """
        call = "GET /balance"
        try:
            content = self._get(call, f"/balance/{segment(self._key_id)}", {}).json()
            balance = read(Balance, call, content)
            for asset in assets:
                self._refuse_namesake(call, balance, asset, "/".join(assets))
                balance.holding(asset)
        except Unavailable:
            self._failed("balance")
            raise
        self._succeeded()
        return balance

    def ticker(self, symbol: str) -> Ticker:
        """The last price of ``symbol`` and its limits."""
        with self._market_read("ticker"):
            answer = self._market_answer("ticker", symbol, {})
            return self._of_symbol(Ticker, answer, symbol)

    def depth(self, symbol: str, limit: int) -> Depth:
        """The order book of ``symbol``, ``limit`` levels a side."""
        with self._market_read("depth"):
            answer = self._market_answer("depth", symbol, {"limit": limit})
            try:
                return depth_of(symbol, *check_depth(answer.body, symbol))
            except Unusual:
                return self._of_symbol(Depth, answer, symbol)

    def trades(self, symbol: str, limit: int) -> PublicTrades:
        """The last ``limit`` public trades of ``symbol``, oldest first."""
        numbers = self._numbers.setdefault((symbol, limit), RowNumbers())
        with self._market_read("trades"):
            answer = self._market_answer("trades", symbol, {"limit": limit})
            try:
                rows = check_trades(answer.body, symbol, numbers)
            except Unusual:
                read_anyhow = self._of_symbol(Trades, answer, symbol).trades
                rows = list(PublicTrades.of(read_anyhow).rows)
        return trades_of(rows, numbers)

    def connect_for_order(self, timeout: float, interruptible: bool) -> None:
        """Make the connection on which the next order goes out, before anything is recorded of it.

        Raises Unavailable; StopRequested where it may be interrupted.
        """
        self._http.connect(_CALL, "/order", timeout, interruptible)

    def place_order(
        self,
        client_order_id: str,
        symbol: str,
        side: Side,
        amount: Decimal,
        timeout: float,
        send_by: float = math.inf,
    ) -> Fill:
        """The final fill of a market order of ``amount`` base units, sent exactly once.

        It is not sent after ``send_by``, in monotonic seconds. Does not wait for a pause of the
        account: its caller does, before it records the order. Raises OrderRefused when it was
        definitely not executed, OutcomeUnknown when that is not certain. The refusal is in the
        words of the exchange (exchange_words).
        """
        body = self._order(client_order_id, symbol, side, amount)
        ban: float | None = None
        try:
            answer = self._http.post(_CALL, "/order", body, timeout, send_by)
            ban = answer.ban
            return fill_of_answer(
                answer, self._http.describe_failure(answer, where_words_begin), symbol, side, amount
            )
        except NotSent as error:
            raise OrderRefused(str(error)) from None
        except Unavailable as error:
            self._record_pause(error, error.retry_after)
            raise OutcomeUnknown(str(error), retry_after=error.retry_after) from None
        except OrderRefused as error:
            self._record_pause(error, error.retry_after, ban)
            raise
        except OutcomeUnknown as error:
            self._record_pause(error, error.retry_after, ban)
            raise error.reworded(self._http.clean(str(error))) from None

    def find_order(self, client_order_id: str, symbol: str, side: Side, amount: Decimal) -> Fill:
        """The final fill of an order that was sent, by the adapter's own records.

        Raises OutcomeUnknown while it is not final, NotFound on a 404 (which an adapter without
        this call answers as well), Unavailable for whatever is not this order.
        """
        call = "GET /order"
        try:
            content = self._get(call, f"/order/{segment(client_order_id)}", {}).json()
            fill = fill_of_lookup(content, client_order_id, symbol, side, amount)
        except OutcomeUnknown as error:
            raise error.reworded(self._http.clean(str(error))) from None
        except NotFound:
            raise  # an adapter that does not know the order, or not the call, has answered
        except Unavailable:
            self._failed("order")
            raise
        self._succeeded()
        return fill

    def _order(self, client_order_id: str, symbol: str, side: Side, amount: Decimal) -> str:
        return json_object(
            {
                "key_id": self._key_id,
                "symbol": symbol,
                "side": side.value,
                "amount": amount,
                "order_type": "market",
                "price": None,
                "client_order_id": client_order_id,
            }
        )

    @contextmanager
    def _market_read(self, what: Read) -> Iterator[None]:
        """A block that reads ``what``: whether that gave a usable answer is told."""
        try:
            yield
        except Unavailable:
            self._failed(what)
            raise
        self._succeeded()

    def _market_answer(self, what: Read, symbol: str, params: Mapping[str, int]) -> HttpAnswer:
        call = f"GET /market/{what} {symbol}"
        asked: dict[str, str | int] = {"key_id": self._key_id, "symbol": symbol, **params}
        return self._get(call, f"/market/{what}", asked)

    def _of_symbol(self, model: type[Market], answer: HttpAnswer, symbol: str) -> Market:
        """``answer`` as ``model``. Raises Unavailable, also when it is of another symbol."""
        found = read(model, answer.call, answer.json())
        if found.symbol != symbol:
            shown = self._http.clean(found.symbol)[:40]
            raise Unavailable(f"{answer.call}: symbol: is {shown}, asked for {symbol}")
        return found

    def _refuse_namesake(self, call: str, balance: Balance, asset: str, symbol: str) -> None:
        """Raise Unavailable for an asset that the balance lists under another spelling only.

        It would count as zero, and no message would ever say why nothing is bought.
        """
        namesake = balance.namesake(asset)
        if namesake is not None:
            shown = self._http.clean(namesake)[:40]
            raise Unavailable(
                f"{call} for {symbol}: lists no {asset}, but {shown}: is the symbol written as the "
                f"exchange writes it?"
            )

    def _get(self, call: str, path: str, params: Mapping[str, str | int]) -> HttpAnswer:
        timeout = self._http.timeout - self._wait_for_pause(call)
        try:
            return self._http.answer_within(timeout, call, path, params)
        except Banned as error:
            self._record_pause(error, None, error.retry_after)
            raise
        except Unavailable as error:
            self._record_pause(error, error.retry_after)
            raise

    def _wait_for_pause(self, call: str) -> float:
        """Seconds waited for the end of a pause, when that leaves half of the call's time."""
        left = 0.0 if self.is_exiting else self._throttle.banned()
        if left > 0:
            raise Banned(f"{call}: banned by the exchange for another {left:.0f} s", left)
        pause = self._throttle.remaining()
        if pause <= 0:
            return 0.0
        if pause <= self._http.timeout / 2:
            self._http.wait(pause)
            # Another bot may have recorded a pause in the meantime.
            left = self._throttle.remaining()
            if left <= 0:
                return pause
            pause = left
        raise Unavailable(f"{call}: account paused for {pause:.1f} s by Retry-After", pause)

    def _record_pause(
        self, error: Exception, retry_after: float | None, ban: float | None = None
    ) -> None:
        """Record for the account's other bots how long to stay away [s], a ``ban`` before all."""
        if ban is not None:
            self._throttle.ban(ban, self._http.clean(str(error)))
        elif retry_after is not None:
            self._throttle.pause(retry_after)
