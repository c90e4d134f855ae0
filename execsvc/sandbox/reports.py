"""BotService: the orders and executions that it was told of, and whether that makes sense."""

from __future__ import annotations

import threading
import uuid
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from execsvc.clock import Clock, iso


class ReportedOrder(BaseModel):
    """The body of ``POST /orders``."""

    model_config = ConfigDict(extra="forbid")

    bot_id: str
    symbol: str
    side: Literal["BUY", "SELL"]
    quantity: Decimal
    reason: str
    timestamp: datetime


class ReportedStatus(BaseModel):
    """The body of ``PUT /orders/{id}/status``."""

    model_config = ConfigDict(extra="forbid")

    status: Literal["SENT", "FILLED", "FAILED"]


class ReportedExecution(BaseModel):
    """The body of ``POST /executions``."""

    model_config = ConfigDict(extra="forbid")

    local_order_id: str
    exchange_trade_id: str
    exchange_order_id: str
    symbol: str
    side: Literal["BUY", "SELL"]
    price: Decimal
    quantity: Decimal
    quote_qty: Decimal
    fee: Decimal
    fee_asset: str
    timestamp: datetime


class UnknownOrder(Exception):
    """No order was given this id."""


class ReportStore:
    """All that was told, in the order in which it came. Safe for threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._told: list[dict[str, Any]] = []
        self._bot_of: dict[str, str] = {}

    def order(self, order: ReportedOrder, key: str | None) -> str:
        """Take an order; the id that it is given. A resend is another order here."""
        given = str(uuid.uuid4())
        with self._lock:
            self._bot_of[given] = order.bot_id
            self._take("ORDER", given, order.bot_id, key, order)
        return given

    def status(self, given: str, status: ReportedStatus) -> None:
        """Take a status. Raises UnknownOrder."""
        with self._lock:
            self._take(status.status, given, self._bot(given), None, status)

    def execution(self, execution: ReportedExecution, key: str | None) -> None:
        """Take an execution. Raises UnknownOrder."""
        given = execution.local_order_id
        with self._lock:
            self._take("EXECUTION", given, self._bot(given), key, execution)

    def bot_of(self, given: str) -> str | None:
        """The bot whose order was given this id, if any."""
        return self._bot_of.get(given)

    def orders_of(self, bot_id: str) -> list[dict[str, Any]]:
        """The orders of a bot as BotService shows them, oldest first."""
        with self._lock:
            told = [one for one in self._told if (one["what"], one["bot_id"]) == ("ORDER", bot_id)]
        return [
            {**one["body"], "id": one["id"], "timestamp": _without_zone(one["body"]["timestamp"])}
            for one in told
        ]

    def all(self) -> list[dict[str, Any]]:
        """What was told: ``{"at", "what", "id", "bot_id", "key", "body"}``, oldest first."""
        with self._lock:
            return [dict(told) for told in self._told]

    def clear(self) -> None:
        """Begin anew; ids that were given stay known."""
        with self._lock:
            self._told.clear()

    def _bot(self, given: str) -> str:
        if given not in self._bot_of:
            raise UnknownOrder(given)
        return self._bot_of[given]

    def _take(self, what: str, given: str, bot_id: str, key: str | None, body: BaseModel) -> None:
        entry = {"at": iso(self._clock.now()), "what": what, "id": given, "bot_id": bot_id}
        self._told.append({**entry, "key": key, "body": body.model_dump(mode="json")})


def _without_zone(timestamp: str) -> str:
    """UTC as BotService writes it."""
    moment = datetime.fromisoformat(timestamp.replace("Z", "+00:00"))
    return moment.astimezone(timezone.utc).replace(tzinfo=None).isoformat(timespec="microseconds")
