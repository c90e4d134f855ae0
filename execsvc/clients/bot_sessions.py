"""BotService: its sessions, each of which holds the orders from one start of a bot to its end."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ValidationError

from execsvc.clients.answers import read
from execsvc.clients.bot_reports import Id
from execsvc.clients.http import HttpClient, segment
from execsvc.clients.order_history import PastOrder, utc
from execsvc.errors import CallRefused, Unavailable
from execsvc.model.order_report import OrderReport

_ACTIVE = "ACTIVE"
_TOLERANCE = Decimal("1e-9")
"""The part of a quantity by which a float may differ from its decimal source."""
_Moment = Annotated[datetime, AfterValidator(utc)]


class _Session(BaseModel):
    id: str | int
    status: str | None = None
    start_time: _Moment | None = None
    end_time: _Moment | None = None

    def holds(self, moment: datetime) -> bool:
        """True when the session was open at ``moment``, by BotService's clock."""
        began, ended = self.start_time, self.end_time
        return began is not None and ended is not None and began <= moment <= ended

    def began_by(self, moment: datetime) -> bool:
        """False when the session began after ``moment``, by BotService's clock."""
        return self.start_time is None or self.start_time <= moment


class _Sessions(BaseModel):
    sessions: list[_Session]


class _KnownOrder(PastOrder):
    id: str | int
    reason: str | None = None


class _SessionOrders(BaseModel):
    orders: list[Any] = []


class BotSessions:
    """BotService's records of a bot's row and sessions. Raises Unavailable."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    def status(self, bot_id: str) -> str | None:
        """The status of the bot's row as it is now; None when BotService does not state it."""
        call = "GET /bots/{id}"
        try:
            row = self._http.get(call, f"/bots/{segment(bot_id)}", {})
        except CallRefused:
            return None
        found = row.get("status") if isinstance(row, dict) else None
        return found if isinstance(found, str) else None

    def of(self, bot_id: str, moment: datetime | None = None, *, late: bool = False) -> Id | None:
        """The bot's session that was open at ``moment``, else its ACTIVE one; None: there is none.

        ``late``: rather the latest that had begun by then, which ended before the bot did.
        """
        call = "GET /bots/{id}/sessions"
        try:
            content = self._http.get(call, f"/bots/{segment(bot_id)}/sessions", {})
        except CallRefused:
            return None
        if not isinstance(content, list):
            raise Unavailable(f"{call}: the answer is not a list")
        newest_first = read(_Sessions, call, {"sessions": content}).sessions
        active = [one for one in newest_first if one.status == _ACTIVE]
        if moment is None:
            return active[0].id if active else None
        open_then = [one for one in active if one.began_by(moment)]
        held = [one for one in newest_first if one.holds(moment)]
        earlier = [one for one in newest_first if late and one.start_time and one.began_by(moment)]
        found = [*open_then, *held, *earlier, *active]
        return found[0].id if found else None

    def find(self, session: Id, told: OrderReport) -> Id | None:
        """The id that BotService gave the order ``told`` of ``session``; None: it has no such
        order.
        """
        call = "GET /sessions/{id}"
        try:
            whole = self._http.get(call, f"/sessions/{segment(str(session))}", {})
        except CallRefused:
            return None
        for order in map(_parse_order, read(_SessionOrders, call, whole).orders):
            if order is not None and _is_same_order(order, told):
                return order.id
        return None


def _parse_order(order: Any) -> _KnownOrder | None:
    """The order if it can be read; None for another kind, which must not keep ours from being
    reported.
    """
    try:
        return _KnownOrder.model_validate(order)
    except ValidationError:
        return None


def _is_same_order(order: _KnownOrder, told: OrderReport) -> bool:
    try:
        quantity = Decimal(str(order.quantity))
        alike = abs(quantity - told.quantity) <= abs(told.quantity) * _TOLERANCE
    except InvalidOperation:
        return False
    return (
        alike
        and (order.symbol, order.side, order.reason) == (told.symbol, told.side, told.reason)
        and order.timestamp == utc(datetime.fromisoformat(told.timestamp.replace("Z", "+00:00")))
    )
