"""The reports about an order to BotService."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum

from pydantic import BaseModel, ConfigDict


class ReportKind(str, Enum):
    """One report about an order, in the order in which they are sent."""

    ORDER = "ORDER"
    """The order exists; the answer is the id by which the other reports name it."""
    SENT = "SENT"
    EXECUTION = "EXECUTION"
    FILLED = "FILLED"
    """The order was filled, in part or in full; its execution has the amount."""
    FAILED = "FAILED"
    """The order ended without a fill."""

    @property
    def is_last(self) -> bool:
        """True when no other report about the order follows."""
        return self in (ReportKind.FILLED, ReportKind.FAILED)


class OrderReport(BaseModel):
    """The body of ``POST /orders``. ``quantity`` is in base units, ``timestamp`` ISO 8601 in UTC."""

    model_config = ConfigDict(frozen=True)

    bot_id: str
    symbol: str
    side: str
    quantity: Decimal
    reason: str
    timestamp: str


class ExecutionReport(BaseModel):
    """The body of ``POST /executions`` without the id that BotService gave the order.

    The adapter gives the fills of an order as one, so there is one execution an order. Its trade id
    is our own id of the order: an exchange's order ids repeat between symbols. An unknown price is
    0. ``quantity`` is in base units, ``price`` and ``quote_qty`` in quote.
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
