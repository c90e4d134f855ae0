"""The market of all accounts, and a test's changes of it."""

from __future__ import annotations

import threading
from decimal import Decimal
from enum import Enum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from execsvc.clock import Clock
from execsvc.model.market import (
    DEFAULT_DECIMALS,
    ZERO,
    Depth,
    Level,
    Limits,
    Price,
    Quantity,
    Trade,
    round_down,
)
from execsvc.paper.terms import USUAL_FEE_RATE, FeeAsset, Terms
from execsvc.sandbox import instruments
from execsvc.sandbox.dialects import Dialect
from execsvc.sandbox.feeds import LEVELS, RecordedFeed, SyntheticFeed

EVERY_SYMBOL = "*"
_DEEP = Decimal(10_000_000)


class FeeReport(str, Enum):
    """The asset that pays fees, and the report of fees in orders."""

    BASE = "base"
    QUOTE = "quote"
    NONE = "none"
    """Taken as with ``base``; orders have no fee members at all."""
    NULL = "null"
    """Taken as with ``base``; the fee members of orders are null."""


class MarketChange(BaseModel):
    """The changes by ``PUT /sandbox/market``, for one symbol or for all.

    null takes a change back, but for the minima and the maxima, where null means that there is
    none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    symbol: str = EVERY_SYMBOL
    price: Price | None = None
    bids: tuple[Level, ...] | None = None
    asks: tuple[Level, ...] | None = None
    trades: tuple[Trade, ...] | None = None
    min_amount: Quantity | None = None
    min_notional: Quantity | None = None
    max_amount: Quantity | None = None
    max_notional: Quantity | None = None
    decimals: int | None = Field(default=None, ge=-8, le=12)
    fee_rate: Quantity | None = None
    fees: FeeReport | None = None
    fee_coin: str | None = None
    """The coin in which fees are taken, and reported, as long as the account has enough of it."""
    publish_limits: bool | None = None
    words: Dialect | None = None

    def changes(self) -> dict[str, Any]:
        """The members that were given."""
        return {name: getattr(self, name) for name in self.model_fields_set - {"symbol"}}


class Market:
    """Books, trades and terms of every symbol. Safe for threads. Raises UnknownSymbol."""

    def __init__(self, clock: Clock, seed: int = 1, recorded: RecordedFeed | None = None) -> None:
        self._clock = clock
        self._seed = seed
        self._recorded = recorded
        self._lock = threading.Lock()
        self._feeds: dict[str, SyntheticFeed] = {}
        self._changes: dict[str, dict[str, Any]] = {}

    def change(self, change: MarketChange) -> None:
        """Take over a test's change."""
        if change.symbol != EVERY_SYMBOL:
            instruments.find(change.symbol)
        with self._lock:
            self._changes.setdefault(change.symbol, {}).update(change.changes())

    def depth(self, symbol: str) -> Depth:
        """The book that orders are filled on."""
        changed = self._changed(symbol)
        bids, asks, price = changed.get("bids"), changed.get("asks"), changed.get("price")
        if price is None and bids is None and asks is None:
            return self._feed(symbol)[0]
        drawn = _pinned(symbol, price) if price is not None else self._feed(symbol)[0]
        return Depth(
            symbol=symbol,
            timestamp=self._now_ms(),
            bids=bids or drawn.bids,
            asks=asks or drawn.asks,
        )

    def price(self, symbol: str) -> Decimal:
        """The last price: as pinned, else in the middle of the book."""
        pinned: Decimal | None = self._changed(symbol).get("price")
        if pinned is not None:
            return pinned
        return round_down(self.depth(symbol).mid, instruments.find(symbol).price_decimals)

    def trades(self, symbol: str) -> list[Trade]:
        """The last trades, oldest first; at the pinned price, when it is pinned."""
        changed = self._changed(symbol)
        if changed.get("trades") is not None:
            return list(changed["trades"])
        drawn, pinned = self._feed(symbol)[1], changed.get("price")
        if pinned is None:
            return drawn
        return [trade.model_copy(update={"price": pinned}) for trade in drawn]

    def terms(self, symbol: str) -> Terms:
        """The minima and fees of an order of ``symbol``."""
        changed, limits = self._changed(symbol), instruments.find(symbol).limits
        report = self.fee_report(symbol)
        rate = changed.get("fee_rate")
        return Terms(
            limits=Limits(
                min_notional=changed.get("min_notional", limits.min_notional),
                min_amount=changed.get("min_amount", limits.min_amount),
            ),
            decimals=changed.get("decimals"),
            fee_rate=USUAL_FEE_RATE if rate is None else rate,
            fee_asset=FeeAsset.QUOTE if report is FeeReport.QUOTE else FeeAsset.RECEIVED,
            max_amount=changed.get("max_amount"),
            max_notional=changed.get("max_notional"),
        )

    def dialect(self, symbol: str) -> Dialect:
        """The exchange in the words of which an order of ``symbol`` is refused."""
        dialect: Dialect | None = self._changed(symbol).get("words")
        return dialect or Dialect.BINANCE

    def published_limits(self, symbol: str) -> Limits | None:
        """The limits as the ticker states them; None when a test wants them left out."""
        withheld = self._changed(symbol).get("publish_limits") is False
        return None if withheld else self.terms(symbol).limits

    def fee_report(self, symbol: str) -> FeeReport:
        """The report of fees in orders of ``symbol``."""
        report: FeeReport | None = self._changed(symbol).get("fees")
        return report or FeeReport.BASE

    def fee_coin(self, symbol: str) -> str | None:
        """The coin in which orders of ``symbol`` pay their fee; None: base or quote."""
        coin: str | None = self._changed(symbol).get("fee_coin")
        return coin

    def _changed(self, symbol: str) -> dict[str, Any]:
        with self._lock:
            return {**self._changes.get(EVERY_SYMBOL, {}), **self._changes.get(symbol, {})}

    def _feed(self, symbol: str) -> tuple[Depth, list[Trade]]:
        instrument, now_ms = instruments.find(symbol), self._now_ms()
        with self._lock:
            if self._recorded is not None:
                self._recorded.advance(now_ms)
                return self._recorded.depth(symbol), self._recorded.trades()
            if symbol not in self._feeds:
                self._feeds[symbol] = SyntheticFeed(instrument, self._seed, now_ms)
            feed = self._feeds[symbol]
            feed.advance(now_ms)
            return feed.depth(), feed.trades()

    def _now_ms(self) -> int:
        return int(self._clock.now().timestamp() * 1000)


def _pinned(symbol: str, price: Decimal) -> Depth:
    """A deep book that sells at ``price`` and buys one tick below it."""
    tick = min(instruments.find(symbol).tick, round_down(price / 1000, DEFAULT_DECIMALS))
    tick = max(tick, price.scaleb(-DEFAULT_DECIMALS))
    amount = max(round_down(_DEEP / price, 0), Decimal(1))
    bids = tuple(Level(price - tick * (number + 1), amount) for number in range(LEVELS))
    asks = tuple(Level(price + tick * number, amount) for number in range(LEVELS))
    assert bids[-1].price > ZERO
    return Depth(symbol=symbol, bids=bids, asks=asks)
