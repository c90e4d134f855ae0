"""Interface of an exchange, as one account sees it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from decimal import Decimal
from typing import Protocol

from execsvc.model.balance import Balance
from execsvc.model.market import Depth, Ticker, Trade
from execsvc.model.order import Fill, Purpose, Side

BOOK_LEVELS = 5
"""Levels that are asked for where only the best one counts; every exchange answers so few."""


class Exchange(Protocol):
    """ExchangeAdapterService, or a recorded market. Reads raise Unavailable."""

    @property
    def is_exiting(self) -> bool:
        """True while its calls are for an exit, which no ban holds up."""
        ...

    def calls_for(self, purpose: Purpose) -> AbstractContextManager[None]:
        """Let the calls of the block go out in spite of a ban, unless ``purpose`` is an entry."""
        ...

    def balance(self, *assets: str) -> Balance:
        """The present balance of the account, each asset in its own units."""
        ...

    def ticker(self, symbol: str) -> Ticker:
        """The last price of ``symbol`` and its limits."""
        ...

    def depth(self, symbol: str, limit: int) -> Depth:
        """The order book of ``symbol``, ``limit`` levels a side."""
        ...

    def trades(self, symbol: str, limit: int) -> Sequence[Trade]:
        """The last ``limit`` public trades of ``symbol``, oldest first."""
        ...

    def connect_for_order(self, timeout: float, interruptible: bool) -> None:
        """Make the connection of the next order. Raises Unavailable, StopRequested."""
        ...

    def place_order(
        self,
        client_order_id: str,
        symbol: str,
        side: Side,
        amount: Decimal,
        timeout: float,
        send_by: float,
    ) -> Fill:
        """The final fill of a market order of ``amount`` base units, sent exactly once.

        Raises OrderRefused when it was definitely not executed, OutcomeUnknown when it may have been.
        """
        ...

    def find_order(self, client_order_id: str, symbol: str, side: Side, amount: Decimal) -> Fill:
        """The final fill of an order that was sent, by the exchange's own records.

        Raises OutcomeUnknown while it is not final, NotFound, Unavailable.
        """
        ...


def best_price(adapter: Exchange, symbol: str, side: Side) -> Decimal:
    """Quote per base at which an order on ``side`` begins to trade now. Raises Unavailable."""
    depth = adapter.depth(symbol, BOOK_LEVELS)
    return depth.best_ask if side is Side.BUY else depth.best_bid
