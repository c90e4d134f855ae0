"""BotService: the orders reported to it, for a check whether a ledger knows all of them."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict

from execsvc.clients.answers import read
from execsvc.clients.http import HttpClient, segment
from execsvc.errors import NotFound, Unavailable

NEWEST_SESSIONS = 3
"""Sessions that are looked through for the newest order: one may have none yet."""


def utc(moment: datetime) -> datetime:
    """``moment`` as UTC: BotService writes it without a zone."""
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=timezone.utc)


class PastOrder(BaseModel):
    """An order of a bot as BotService keeps it; ``quantity`` as it writes it."""

    model_config = ConfigDict(frozen=True)

    symbol: str
    side: str
    quantity: Any = None
    timestamp: Annotated[datetime, AfterValidator(utc)]


class _SessionId(BaseModel):
    id: str | int


class _SessionIds(BaseModel):
    sessions: list[_SessionId]


class _PastOrders(BaseModel):
    orders: list[PastOrder] = []


class OrderHistory:
    """BotService's records of the orders of bots. Raises Unavailable."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    def newest(self, bot_id: str) -> PastOrder | None:
        """The order of ``bot_id`` that was sent last; None when none is known, or none is kept."""
        call = "GET /bots/{id}/sessions"
        try:
            content = self._http.get(call, f"/bots/{segment(bot_id)}/sessions", {})
        except NotFound:
            return None
        if not isinstance(content, list):
            raise Unavailable(f"{call}: the answer is not a list")
        newest_first = read(_SessionIds, call, {"sessions": content[:NEWEST_SESSIONS]}).sessions
        found: list[PastOrder] = []
        for session in newest_first:
            call = "GET /sessions/{id}"
            whole = self._http.get(call, f"/sessions/{segment(str(session.id))}", {})
            found += read(_PastOrders, call, whole).orders
        return max(found, key=lambda order: order.timestamp, default=None)
