"""The market of one bot's orders: its ticker, its limits, and the price at which an entry begins."""

from __future__ import annotations

from contextlib import AbstractContextManager, suppress
from decimal import Decimal
from typing import NamedTuple

from execsvc.clock import monotonic
from execsvc.errors import Unavailable
from execsvc.execution.exchange import Exchange, best_price
from execsvc.execution.funds import Funds
from execsvc.execution.sizes.known_sizes import KnownSizes
from execsvc.execution.sizes.size_memory import SizeMemory
from execsvc.model.bot import Binding
from execsvc.model.market import ZERO, Depth, Limits
from execsvc.model.order import OrderRequest, Purpose, Side
from execsvc.store.bot_store import BotStore

FILLED_ON = 200
"""Levels of a book on which an order on paper is filled."""


class MarketTerms(NamedTuple):
    """Ticker price (None: no ticker could be had) and limits.

    ``asked_at`` is when the ticker was asked for, in monotonic seconds.
    """

    price: Decimal | None
    limits: Limits
    asked_at: float | None


class OrderMarket:
    """Reads the market of ``binding`` for the bot's orders; ``allocation`` in quote, None without one."""

    def __init__(
        self,
        exchange: Exchange,
        ledger: BotStore,
        binding: Binding,
        sizes: SizeMemory,
        allocation: Decimal | None,
    ) -> None:
        self._exchange = exchange
        self._ledger = ledger
        self._binding = binding
        self._sizes = sizes
        self._allocation = allocation

    def calls_for(self, purpose: Purpose) -> AbstractContextManager[None]:
        """Let the reads of the block go out in spite of a ban, unless ``purpose`` is an entry."""
        return self._exchange.calls_for(purpose)

    def book(self) -> Depth:
        """The book on which an order on paper is filled. Raises Unavailable."""
        return self._exchange.depth(self._binding.symbol, FILLED_ON)

    def terms(self, side: Side) -> MarketTerms:
        """Ask the ticker; a failed one never blocks a sell. Raises Unavailable for a buy."""
        key_id, symbol = self._binding.key_id, self._binding.symbol
        known = self._ledger.limits(key_id, symbol)
        asked_at = monotonic()
        try:
            ticker = self._exchange.ticker(symbol)
        except Unavailable:
            if side is Side.BUY:
                raise
            return MarketTerms(None, known, None)
        if ticker.limits != known:
            self._ledger.keep_limits(key_id, symbol, ticker.limits)
        return MarketTerms(ticker.price, ticker.limits, asked_at)

    def known_sizes(self, price: Decimal | None) -> KnownSizes:
        """The sizes that the market takes, as learnt up to now; ``price`` is the ticker's or None."""
        return self._sizes.known(self._binding, price)

    def with_best_price(self, funds: Funds, request: OrderRequest) -> Funds:
        """``funds`` with the price at which an entry would begin to trade now.

        That is read where the allocation could bind; ``funds`` are unchanged where the book cannot be
        read.
        """
        if self._allocation is None or not request.purpose.opens:
            return funds
        is_short = request.purpose.is_short
        held = ZERO if is_short else self._ledger.position(self._binding).tracked
        if funds.could_reach(self._allocation, request, held):
            side = request.purpose.side
            with suppress(Unavailable):
                price = best_price(self._exchange, self._binding.symbol, side)
                return funds._replace(best_price=price)
        return funds
