"""ExchangeAdapterService: what an account holds, what the market does, and the one way to order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Literal, Protocol, TypeVar

from execsvc.clients.answers import read
from execsvc.clients.bodies import json_object
from execsvc.clients.exchange_words import where_words_begin
from execsvc.clients.http import HttpClient, NotSent, segment
from execsvc.clients.order_answer import judge, judge_found
from execsvc.errors import NotFound, OrderRefused, OutcomeUnknown, Unavailable
from execsvc.model.balance import Balance
from execsvc.model.market import Depth, Ticker, Trade, Trades
from execsvc.model.order import Fill, Side

_CALL = "POST /order"


class Throttle(Protocol):
    """The memory, shared by all bots of an account, of how long it must be left alone."""

    def remaining(self) -> float:
        """Seconds for which nothing may be asked for the account; 0 when free."""
        ...

    def pause(self, seconds: float) -> None:
        """The service wants the account left alone for so long."""
        ...


Market = TypeVar("Market", Ticker, Depth, Trades)
Read = Literal["balance", "ticker", "depth", "trades", "order"]
"""The calls that may be repeated."""


def _unnoted(_: Read) -> None:
    """Nobody counts."""


class ExchangeAdapter:
    """The adapter as one account sees it. Reads raise Unavailable.

    ``failed`` is told of every read that gave no usable answer, whatever was tried.
    """

    def __init__(
        self,
        http: HttpClient,
        key_id: str,
        throttle: Throttle,
        failed: Callable[[Read], None] = _unnoted,
    ) -> None:
        self._http = http
        self._key_id = key_id
        self._throttle = throttle
        self._failed = failed

    def balance(self, *assets: str) -> Balance:
        """What the account holds now, each asset in its own units.

        Raises Unavailable also when a row of one of ``assets`` cannot be read; rows of other assets
        are not looked at.
        """
        call = "GET /balance"
        try:
            content = self._get(call, f"/balance/{segment(self._key_id)}", {})
            balance = read(Balance, call, content)
            for asset in assets:
                balance.holding(asset)
            return balance
        except Unavailable:
            self._failed("balance")
            raise

    def ticker(self, symbol: str) -> Ticker:
        """The last price of ``symbol`` and its limits."""
        return self._market(Ticker, "ticker", symbol, {})

    def depth(self, symbol: str, limit: int) -> Depth:
        """The order book of ``symbol``, ``limit`` levels a side."""
        return self._market(Depth, "depth", symbol, {"limit": limit})

    def trades(self, symbol: str, limit: int) -> tuple[Trade, ...]:
        """The last ``limit`` public trades of ``symbol``, oldest first."""
        return self._market(Trades, "trades", symbol, {"limit": limit}).trades

    def place_order(
        self, client_order_id: str, symbol: str, side: Side, amount: Decimal, timeout: float
    ) -> Fill:
        """The final fill of a market order of ``amount`` base units, sent exactly once.

        Does not wait for a pause of the account: its caller does, before it records the order.
        Raises OrderRefused when it was definitely not executed, OutcomeUnknown when that cannot
        be told. What was refused is in the words of the exchange (exchange_words).
        """
        body = self._order(client_order_id, symbol, side, amount)
        try:
            answer = self._http.post(_CALL, "/order", body, timeout)
            return judge(answer, self._http.told(answer, where_words_begin), symbol, side, amount)
        except NotSent as error:
            raise OrderRefused(str(error)) from None
        except Unavailable as error:
            self._respect(error.retry_after)
            raise OutcomeUnknown(str(error), retry_after=error.retry_after) from None
        except OrderRefused as error:
            self._respect(error.retry_after)
            raise
        except OutcomeUnknown as error:
            self._respect(error.retry_after)
            text = self._http.clean(str(error))
            raise OutcomeUnknown(text, error.filled_at_least, error.retry_after) from None

    def find_order(self, client_order_id: str, symbol: str, side: Side, amount: Decimal) -> Fill:
        """The final fill of an order that was sent, by the adapter's own records.

        Raises OutcomeUnknown while it is not final, NotFound on a 404 (which an adapter without
        this call answers as well), Unavailable for whatever is not this order.
        """
        call = "GET /order"
        try:
            content = self._get(call, f"/order/{segment(client_order_id)}", {})
            return judge_found(content, client_order_id, symbol, side, amount)
        except OutcomeUnknown as error:
            text = self._http.clean(str(error))
            raise OutcomeUnknown(text, error.filled_at_least) from None
        except NotFound:
            raise  # an adapter that does not know the order, or not the call, has answered
        except Unavailable:
            self._failed("order")
            raise

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

    def _market(
        self, model: type[Market], what: Read, symbol: str, params: Mapping[str, int]
    ) -> Market:
        call = f"GET /market/{what}"
        asked: dict[str, str | int] = {"key_id": self._key_id, "symbol": symbol, **params}
        try:
            answer = read(model, call, self._get(call, f"/market/{what}", asked))
            if answer.symbol != symbol:
                shown = self._http.clean(answer.symbol)[:40]
                raise Unavailable(f"{call}: symbol: is {shown}, asked for {symbol}")
            return answer
        except Unavailable:
            self._failed(what)
            raise

    def _get(self, call: str, path: str, params: Mapping[str, str | int]) -> Any:
        timeout = self._http.timeout - self._wait_for_turn(call)
        try:
            return self._http.get_within(timeout, call, path, params)
        except Unavailable as error:
            self._respect(error.retry_after)
            raise

    def _wait_for_turn(self, call: str) -> float:
        """Seconds waited for the end of a pause, when that leaves half of the call's time."""
        pause = self._throttle.remaining()
        if pause <= 0:
            return 0.0
        if pause <= self._http.timeout / 2:
            self._http.wait(pause)
            # Another bot may have been told to stay away in the meantime.
            left = self._throttle.remaining()
            if left <= 0:
                return pause
            pause = left
        raise Unavailable(f"{call}: account paused for {pause:.1f} s by Retry-After", pause)

    def _respect(self, retry_after: float | None) -> None:
        if retry_after is not None:
            self._throttle.pause(retry_after)
