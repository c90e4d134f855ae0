"""The sandbox's exchange: accounts by key, orders filled on the market's book."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict

from execsvc.clock import Clock
from execsvc.errors import OrderRefused
from execsvc.model.market import DEFAULT_DECIMALS, ZERO, Price, Quantity, Symbol, round_down
from execsvc.model.order import Fill, Side
from execsvc.paper.terms import Terms
from execsvc.paper.trading import MarketOrder
from execsvc.sandbox.accounts import ExchangeAccount, OrderRecord
from execsvc.sandbox.instruments import UnknownSymbol
from execsvc.sandbox.market import Market

_FIRST_ORDER_ID = 54762105231
OUTSIDE_WINDOW = "Timestamp for this request is outside of the recvWindow."


def _json_number(value: Any) -> Any:
    if isinstance(value, str):
        raise ValueError("is a string, not a number")
    return value


class OrderBody(BaseModel):
    """The body of ``POST /order``."""

    model_config = ConfigDict(frozen=True)

    key_id: str
    symbol: str
    side: Side
    amount: Annotated[Price, BeforeValidator(_json_number)]
    order_type: Literal["market"] = "market"
    price: None = None
    client_order_id: str | None = None


class HandTrade(BaseModel):
    """The user's own change of the account; ``amount`` in base units or in the asset's own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["buy", "sell", "deposit", "withdraw", "lock", "unlock"]
    amount: Quantity
    symbol: str = "BTC/USDT"
    asset: str | None = None
    lag: float = 0.0


class PaperExchange:
    """All accounts. An unknown key gets an account with the default balances. Safe for threads."""

    def __init__(self, market: Market, clock: Clock, balances: Mapping[str, Decimal]) -> None:
        self.deduplicate = False
        self.receive_window: float | None = None
        self._market = market
        self._clock = clock
        self._default = dict(balances)
        self._lock = threading.Lock()
        self._accounts: dict[str, ExchangeAccount] = {}
        self._ids: Iterator[int] = itertools.count(_FIRST_ORDER_ID)

    def account(self, key_id: str) -> ExchangeAccount:
        """The account of ``key_id``."""
        with self._lock:
            if key_id not in self._accounts:
                self._accounts[key_id] = ExchangeAccount(self._default)
            return self._accounts[key_id]

    def accounts(self) -> dict[str, ExchangeAccount]:
        """All accounts so far."""
        with self._lock:
            return dict(self._accounts)

    def open_account(self, key_id: str, balances: Mapping[str, Decimal]) -> None:
        """Give ``key_id`` a new account with these balances; the old one is forgotten."""
        with self._lock:
            self._accounts[key_id] = ExchangeAccount(balances)

    def receive(self, body: OrderBody, waited: float = 0.0) -> OrderRecord:
        """Record an order that came in ``waited`` seconds ago; nothing is executed yet."""
        account = self.account(body.key_id)
        with account.lock:
            known = _find(account, body.client_order_id) if self.deduplicate else None
            if known is not None:
                known.resends += 1
                return known
            now = self._clock.now()
            record = OrderRecord(
                order_id=str(next(self._ids)),
                client_order_id=body.client_order_id,
                key_id=body.key_id,
                symbol=body.symbol,
                side=body.side,
                amount=body.amount,
                received_at=now,
            )
            if self.receive_window is not None:
                record.expires_at = now + timedelta(seconds=self.receive_window - waited)
            account.orders.append(record)
            return record

    def execute(self, record: OrderRecord, part: Decimal | None = None, lag: float = 0.0) -> None:
        """Fill ``part`` (None: all) of the order, unless it was filled before.

        Raises OrderRefused, which the record keeps.
        """
        if not record.fills:
            self._fill(record, part, lag)

    def execute_rest(self, record: OrderRecord) -> None:
        """Fill what :meth:`execute` left over. Raises OrderRefused."""
        if record.filled < record.amount:
            self._fill(record, None, 0.0)

    def trade_by_hand(self, key_id: str, trade: HandTrade) -> None:
        """Change the account as the user does. Raises OrderRefused, UnknownSymbol."""
        account, now = self.account(key_id), self._clock.now()
        cause = f"hand {trade.kind}"
        asset = trade.asset or Symbol.parse(trade.symbol).base
        with account.lock:
            match trade.kind:
                case "buy" | "sell":
                    depth, terms = (
                        self._market.depth(trade.symbol),
                        self._market.terms(trade.symbol),
                    )
                    order = MarketOrder(Side(trade.kind), trade.amount)
                    account.paper.execute(depth, terms, order, now, cause)
                case "deposit" | "withdraw":
                    sign = 1 if trade.kind == "deposit" else -1
                    account.paper.deposit(asset, sign * trade.amount, now, cause)
                case "lock" | "unlock":
                    sign = 1 if trade.kind == "lock" else -1
                    account.paper.lock(asset, sign * trade.amount, now, cause)
            account.delay_movements(trade.lag)

    def _fill(self, record: OrderRecord, part: Decimal | None, lag: float) -> None:
        account = self.account(record.key_id)
        with account.lock:
            try:
                fill = self._trade(account, record, part)
            except UnknownSymbol:
                record.refused = f"BadSymbol: does not have market symbol {record.symbol}"
                raise OrderRefused(record.refused) from None
            except OrderRefused as error:
                record.refused = str(error)
                raise
            account.delay_movements(lag)
            record.fills.append(fill)

    def _trade(self, account: ExchangeAccount, record: OrderRecord, part: Decimal | None) -> Fill:
        depth, terms = self._market.depth(record.symbol), self._market.terms(record.symbol)
        decimals, left = terms.step_decimals, record.amount - record.filled
        if record.fills:  # the rest of an order that was taken is not judged again
            terms = Terms(decimals=decimals, fee_rate=terms.fee_rate, fee_asset=terms.fee_asset)
        at_most = left if part is None else round_down(record.amount * part, decimals)
        order = MarketOrder(record.side, left, at_most)
        now = self._clock.now()
        if not record.fills and record.expires_at is not None and now > record.expires_at:
            raise OrderRefused(OUTSIDE_WINDOW)
        record.executed_at = now
        coin = self._market.fee_coin(record.symbol)
        if coin is None:
            return account.paper.execute(depth, terms, order, now, record.cause)
        terms, rate = terms._replace(fee_rate=ZERO), terms.fee_rate
        fill = account.paper.execute(depth, terms, order, now, record.cause)
        quote = Symbol.parse(record.symbol).quote
        worth = (fill.cost or ZERO) * rate / self._market.price(f"{coin}/{quote}")
        fee = min(round_down(worth, DEFAULT_DECIMALS), account.paper.free(coin))
        account.paper.deposit(coin, -fee, now, record.cause)
        paid = ZERO if record.coin_fee is None else record.coin_fee[1]
        record.coin_fee = coin, paid + fee
        return fill


def _find(account: ExchangeAccount, client_order_id: str | None) -> OrderRecord | None:
    for record in account.orders:
        if client_order_id is not None and record.client_order_id == client_order_id:
            return record
    return None
