"""What BotService is told of an order."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum

from pydantic import BaseModel, ConfigDict


class Telling(str, Enum):
    """One thing that is told, in the order in which it is for one order."""

    ORDER = "ORDER"
    """There is an order; the answer to it is the id that the rest goes by."""
    SENT = "SENT"
    EXECUTION = "EXECUTION"
    FILLED = "FILLED"
    """Some of it was filled, or all; its execution says how much."""
    FAILED = "FAILED"
    """Nothing was filled."""

    @property
    def is_last(self) -> bool:
        """True when nothing else is told of the order afterwards."""
        return self in (Telling.FILLED, Telling.FAILED)


class ToldOrder(BaseModel):
    """The body of ``POST /orders``. ``quantity`` is in base units, ``timestamp`` ISO 8601 in UTC."""

    model_config = ConfigDict(frozen=True)

    bot_id: str
    symbol: str
    side: str
    quantity: Decimal
    reason: str
    timestamp: str


class ToldExecution(BaseModel):
    """The body of ``POST /executions`` without the id that BotService gave the order.

    The adapter gives the fills of an order as one, so there is one execution an order. Its
    trade id is our own id of the order: an exchange's order ids repeat between symbols. A price
    that nobody knows is 0. ``quantity`` is in base units, ``price`` and ``quote_qty`` in quote.
    """

    model_config = ConfigDict(frozen=True)

    exchange_trade_id: str
    exchange_order_id: str
    symbol: str
    side: str
    price: Decimal
    quantity: Decimal
    quote_qty: Decimal
    fee: Decimal
    fee_asset: str
    timestamp: str
