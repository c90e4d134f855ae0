"""BotService: the reports of orders and executions, as they came."""

from __future__ import annotations

import threading
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from execsvc.clock import Clock, iso

OrderStatus = Literal["PENDING", "SENT", "FILLED", "FAILED"]


class ReportedOrder(BaseModel):
    """The body of ``POST /orders``."""

    model_config = ConfigDict(extra="forbid")

    bot_id: str
    symbol: str
    side: Literal["BUY", "SELL"]
    quantity: Decimal
    reason: str
    timestamp: datetime
    session_id: str | None = None


class ReportedStatus(BaseModel):
    """The body of ``PUT /orders/{id}/status``."""

    model_config = ConfigDict(extra="forbid")

    status: OrderStatus


class ReportedExecution(BaseModel):
    """The body of ``POST /executions``."""

    model_config = ConfigDict(extra="forbid")

    local_order_id: str
    exchange_trade_id: str
    exchange_order_id: str
    order_list_id: int | str | None = None
    symbol: str
    side: Literal["BUY", "SELL"]
    price: Decimal
    quantity: Decimal
    quote_qty: Decimal
    fee: Decimal
    fee_asset: str | None = None
    timestamp: datetime


class ReportStore:
    """All accepted reports, in the order in which they came. Safe for threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._reports: list[dict[str, Any]] = []

    def take(
        self, what: str, order_id: str, bot_id: str | None, key: str | None, body: BaseModel
    ) -> None:
        """Record the report about the order that was given this id."""
        entry = {"at": iso(self._clock.now()), "what": what, "id": order_id, "bot_id": bot_id}
        report = body.model_dump(mode="json", exclude_unset=True)
        with self._lock:
            self._reports.append({**entry, "key": key, "body": report})

    def all(self) -> list[dict[str, Any]]:
        """The reports: ``{"at", "what", "id", "bot_id", "key", "body"}``, oldest first."""
        with self._lock:
            return [dict(report) for report in self._reports]

    def clear(self) -> None:
        """Forget the reports; sessions, orders and executions stay known."""
        with self._lock:
            self._reports.clear()
