"""The calls by which BotService is told something, and those by which a test looks at that."""

from __future__ import annotations

from execsvc.sandbox.faults import Call, Match
from execsvc.sandbox.reports import (
    ReportedExecution,
    ReportedOrder,
    ReportedStatus,
    UnknownOrder,
)
from execsvc.sandbox.state import State
from execsvc.sandbox.strikes import Act, strike
from execsvc.sandbox.wire import Reply, Request, json_reply, refusal

_KEY = "Idempotency-Key"


def report_order(state: State, request: Request) -> Reply:
    """``POST /orders``."""
    order = ReportedOrder.model_validate(request.parsed())

    def act() -> Reply:
        return json_reply({"id": state.reports.order(order, request.headers.get(_KEY))}, 201)

    return _struck(state, "report_order", order.bot_id, act)


def report_status(state: State, request: Request) -> Reply:
    """``PUT /orders/{id}/status``."""
    given, status = request.segments[1], ReportedStatus.model_validate(request.parsed())

    def act() -> Reply:
        state.reports.status(given, status)
        return json_reply({"id": given, "status": status.status})

    return _struck(state, "report_status", state.reports.bot_of(given), act)


def report_execution(state: State, request: Request) -> Reply:
    """``POST /executions``."""
    execution = ReportedExecution.model_validate(request.parsed())

    def act() -> Reply:
        state.reports.execution(execution, request.headers.get(_KEY))
        return json_reply({"id": execution.exchange_trade_id}, 201)

    bot_id = state.reports.bot_of(execution.local_order_id)
    return _struck(state, "report_execution", bot_id, act)


def sessions(state: State, request: Request) -> Reply:
    """``GET /bots/{id}/sessions``: one for each bot that ever told of an order, named as the bot."""
    bot_id = request.segments[1]

    def act() -> Reply:
        if state.bots.get(bot_id) is None:
            return refusal("Bot not found", 404)
        known = [{"id": bot_id, "bot_id": bot_id, "status": "ACTIVE"}]
        return json_reply(known if state.reports.orders_of(bot_id) else [])

    return strike(state, state.faults.take("sessions", Match(bot_id=bot_id)), act)


def session(state: State, request: Request) -> Reply:
    """``GET /sessions/{id}``: with its orders, oldest first."""
    bot_id = request.segments[1]
    orders = state.reports.orders_of(bot_id)
    if not orders:
        return refusal("Session not found", 404)
    return json_reply({"id": bot_id, "bot_id": bot_id, "status": "ACTIVE", "orders": orders})


def start_bot(state: State, request: Request) -> Reply:
    """``POST /bots/{id}/start``."""
    return _moved(state, request, "start_bot", "RUNNING")


def stop_bot(state: State, request: Request) -> Reply:
    """``POST /bots/{id}/stop``."""
    return _moved(state, request, "stop_bot", "STOPPED")


def show_reports(state: State, request: Request) -> Reply:
    """``GET /sandbox/reports``."""
    return json_reply(state.reports.all())


def forget_reports(state: State, request: Request) -> Reply:
    """``DELETE /sandbox/reports``."""
    state.reports.clear()
    return json_reply({"done": True})


def _moved(state: State, request: Request, call: Call, status: str) -> Reply:
    bot_id = request.segments[1]

    def act() -> Reply:
        row = state.bots.change(bot_id, {"status": status})
        return refusal("Bot not found", 404) if row is None else json_reply(row)

    return _struck(state, call, bot_id, act)


def _struck(state: State, call: Call, bot_id: str | None, act: Act) -> Reply:
    def sound() -> Reply:
        try:
            return act()
        except UnknownOrder as error:
            return refusal(f"Order {error} not found", 404)

    return strike(state, state.faults.take(call, Match(bot_id=bot_id)), sound)
