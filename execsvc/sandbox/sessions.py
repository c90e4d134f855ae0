"""BotService: the sessions of bots, with their orders and executions."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from execsvc.clock import Clock
from execsvc.sandbox.bots import stamp
from execsvc.sandbox.reports import OrderStatus, ReportedExecution, ReportedOrder
from execsvc.sandbox.results import Executed, result_of, statistics, summary


class UnknownOrder(Exception):
    """No order was given this id."""


class UnknownSession(Exception):
    """No session was given this id."""


class KnownExecution(Exception):
    """An execution with this trade id was taken before."""


@dataclass
class _Order:
    order_id: str
    session: _SessionRecord
    body: ReportedOrder
    status: OrderStatus = "PENDING"

    def shown(self) -> dict[str, Any]:
        body = self.body
        return {
            "id": self.order_id,
            "bot_id": body.bot_id,
            "session_id": self.session.session_id,
            "symbol": body.symbol,
            "side": body.side,
            "quantity": body.quantity,
            "reason": body.reason,
            "status": self.status,
            "timestamp": stamp(body.timestamp),
        }


@dataclass
class _SessionRecord:
    session_id: str
    bot_id: str
    opened_by: Literal["start", "order"]
    """The origin of a session; ``order``: an order that found none opened it, an emergency."""
    began: datetime
    ended: datetime | None = None
    orders: list[_Order] = field(default_factory=list)
    executions: list[Executed] = field(default_factory=list)

    def shown(self) -> dict[str, Any]:
        return {
            "id": self.session_id,
            "bot_id": self.bot_id,
            "start_time": stamp(self.began),
            "end_time": None if self.ended is None else stamp(self.ended),
            "status": "ACTIVE" if self.ended is None else "ENDED",
            "summary": summary(self.executions),
        }


class Sessions:
    """Every session that there ever was. Safe for threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._sessions: dict[str, _SessionRecord] = {}
        self._orders: dict[str, _Order] = {}
        self._executions: dict[str, ReportedExecution] = {}

    def start(self, bot_id: str) -> dict[str, Any]:
        """End the ACTIVE session of a bot, if there is one, and open a new one, which it returns."""
        with self._lock:
            self._end(bot_id)
            return self._open(bot_id, "start").shown()

    def stop(self, bot_id: str) -> dict[str, Any] | None:
        """End the ACTIVE session of a bot; returns it, if there was one."""
        with self._lock:
            ended = self._end(bot_id)
            return None if ended is None else ended.shown()

    def of(self, bot_id: str) -> list[dict[str, Any]]:
        """The sessions of a bot, the newest first."""
        with self._lock:
            return [session.shown() for session in reversed(self._of(bot_id))]

    def get(self, session_id: str) -> dict[str, Any]:
        """A session with its orders, the oldest first. Raises UnknownSession."""
        with self._lock:
            session = self._sessions.get(session_id)
            if session is None:
                raise UnknownSession(session_id)
            return {**session.shown(), "orders": [order.shown() for order in session.orders]}

    def order(self, body: ReportedOrder) -> dict[str, Any]:
        """Take an order, PENDING; returns it with its id.

        Raises UnknownSession. Without a session's id it goes to the ACTIVE session; where there is
        none, one is opened.
        """
        with self._lock:
            if body.session_id is None:
                session = self._active(body.bot_id) or self._open(body.bot_id, "order")
            elif body.session_id in self._sessions:
                session = self._sessions[body.session_id]
            else:
                raise UnknownSession(body.session_id)
            order = _Order(str(uuid.uuid4()), session, body)
            session.orders.append(order)
            self._orders[order.order_id] = order
            return order.shown()

    def status(self, order_id: str, status: OrderStatus) -> dict[str, Any]:
        """Set the status of an order and return the order. Raises UnknownOrder."""
        with self._lock:
            order = self._order(order_id)
            order.status = status
            return order.shown()

    def execution(self, body: ReportedExecution) -> None:
        """Take an execution. Raises UnknownOrder, and KnownExecution of one with its trade id."""
        with self._lock:
            order = self._order(body.local_order_id)
            if body.exchange_trade_id in self._executions:
                raise KnownExecution(body.exchange_trade_id)
            self._executions[body.exchange_trade_id] = body
            executed = Executed(
                trade_id=body.exchange_trade_id,
                side=body.side,
                price=body.price,
                quantity=body.quantity,
                fee=body.fee,
                timestamp=body.timestamp,
            )
            if body.side == "SELL":
                earlier = self._executed(order.session.bot_id)
                executed = replace(executed, result=result_of(executed, earlier))
            order.session.executions.append(executed)

    def statistics(self, bot_id: str) -> dict[str, Any]:
        """Result, win rate and profit factor of a bot."""
        with self._lock:
            return statistics(self._executed(bot_id))

    def bot_of(self, order_id: str) -> str | None:
        """The bot of the order with this id, if any."""
        order = self._orders.get(order_id)
        return None if order is None else order.body.bot_id

    def tables(self) -> dict[str, Any]:
        """Every session, with its origin and its orders, and every execution; oldest first."""
        with self._lock:
            return {
                "sessions": [
                    {
                        **session.shown(),
                        "opened_by": session.opened_by,
                        "orders": [order.shown() for order in session.orders],
                    }
                    for session in self._sessions.values()
                ],
                "executions": [body.model_dump(mode="json") for body in self._executions.values()],
            }

    def _open(self, bot_id: str, opened_by: Literal["start", "order"]) -> _SessionRecord:
        session = _SessionRecord(str(uuid.uuid4()), bot_id, opened_by, self._clock.now())
        self._sessions[session.session_id] = session
        return session

    def _end(self, bot_id: str) -> _SessionRecord | None:
        session = self._active(bot_id)
        if session is not None:
            session.ended = self._clock.now()
        return session

    def _active(self, bot_id: str) -> _SessionRecord | None:
        return next((session for session in self._of(bot_id) if session.ended is None), None)

    def _of(self, bot_id: str) -> list[_SessionRecord]:
        return [session for session in self._sessions.values() if session.bot_id == bot_id]

    def _order(self, order_id: str) -> _Order:
        if order_id not in self._orders:
            raise UnknownOrder(order_id)
        return self._orders[order_id]

    def _executed(self, bot_id: str) -> Iterable[Executed]:
        return [one for session in self._of(bot_id) for one in session.executions]
