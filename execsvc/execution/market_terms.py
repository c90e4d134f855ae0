"""Prices and limits of a bot's market, with the limits seen last for when no ticker can be had."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from execsvc.clock import monotonic
from execsvc.errors import Unavailable
from execsvc.execution.exchange import Exchange
from execsvc.model.bot import Binding
from execsvc.model.market import Limits
from execsvc.model.order import Side
from execsvc.store.bot_store import BotStore

BOOK_LEVELS = 5
"""Levels that are asked for where only the best one counts; every exchange answers so few."""


class MarketTerms(NamedTuple):
    """Ticker price (None: no ticker could be had) and limits.

    ``asked_at`` is when the ticker was asked for, in monotonic seconds.
    """

    price: Decimal | None
    limits: Limits
    asked_at: float | None


def market_terms(adapter: Exchange, ledger: BotStore, binding: Binding, side: Side) -> MarketTerms:
    """Ask the ticker; a failed one never blocks a sell. Raises Unavailable for a buy."""
    known = ledger.limits(binding.key_id, binding.symbol)
    asked_at = monotonic()
    try:
        ticker = adapter.ticker(binding.symbol)
    except Unavailable:
        if side is Side.BUY:
            raise
        return MarketTerms(None, known, None)
    if ticker.limits != known:
        ledger.keep_limits(binding.key_id, binding.symbol, ticker.limits)
    return MarketTerms(ticker.price, ticker.limits, asked_at)


def best_price(adapter: Exchange, symbol: str, side: Side) -> Decimal:
    """Quote per base at which an order on ``side`` begins to trade now. Raises Unavailable."""
    depth = adapter.depth(symbol, BOOK_LEVELS)
    return depth.best_ask if side is Side.BUY else depth.best_bid
