"""The calls by which orders are reported to BotService, and those by which a test reads them."""

from __future__ import annotations

from execsvc.sandbox.faults import Call, Match
from execsvc.sandbox.reports import ReportedExecution, ReportedOrder, ReportedStatus
from execsvc.sandbox.sessions import KnownExecution, UnknownOrder, UnknownSession
from execsvc.sandbox.state import State
from execsvc.sandbox.strikes import Act, strike
from execsvc.sandbox.wire import Reply, Request, json_reply, refusal

_KEY = "Idempotency-Key"


def report_order(state: State, request: Request) -> Reply:
    """``POST /orders``: answers the order with its id."""
    order, key = ReportedOrder.model_validate(request.parsed()), request.headers.get(_KEY)

    def act() -> Reply:
        if not state.bots.knows(order.bot_id):
            return refusal("Bot not found", 404)
        taken = state.sessions.order(order)
        state.reports.take("ORDER", taken["id"], order.bot_id, key, order)
        return json_reply(taken, 201)

    return _struck(state, "report_order", order.bot_id, key, act)


def report_status(state: State, request: Request) -> Reply:
    """``PUT /orders/{id}/status``: answers the order."""
    order_id, status = request.segments[1], ReportedStatus.model_validate(request.parsed())
    bot_id = state.sessions.bot_of(order_id)

    def act() -> Reply:
        order = state.sessions.status(order_id, status.status)
        state.reports.take(status.status, order_id, bot_id, None, status)
        return json_reply(order)

    return _struck(state, "report_status", bot_id, None, act)


def report_execution(state: State, request: Request) -> Reply:
    """``POST /executions``: ``exchange_trade_id`` is the key; a second execution with it is a 400."""
    execution, key = ReportedExecution.model_validate(request.parsed()), request.headers.get(_KEY)
    bot_id = state.sessions.bot_of(execution.local_order_id)

    def act() -> Reply:
        state.sessions.execution(execution)
        state.reports.take("EXECUTION", execution.local_order_id, bot_id, key, execution)
        return json_reply({"id": execution.exchange_trade_id}, 201)

    return _struck(state, "report_execution", bot_id, key, act)


def show_reports(state: State, request: Request) -> Reply:
    """``GET /sandbox/reports``."""
    return json_reply(state.reports.all())


def forget_reports(state: State, request: Request) -> Reply:
    """``DELETE /sandbox/reports``."""
    state.reports.clear()
    return json_reply({"done": True})


def show_tables(state: State, request: Request) -> Reply:
    """``GET /sandbox/sessions``: every session with its orders, and every execution."""
    return json_reply(state.sessions.tables())


def _struck(state: State, call: Call, bot_id: str | None, key: str | None, act: Act) -> Reply:
    def sound() -> Reply:
        known = state.bot_service.answered(key)
        if known is not None:
            return known
        try:
            reply = act()
        except UnknownOrder as error:
            return refusal(f"Order {error} not found", 404)
        except UnknownSession as error:
            return refusal(f"Session {error} not found", 404)
        except KnownExecution as error:
            return refusal(f"Execution {error} already exists", 400)
        state.bot_service.remember(key, reply)
        return reply

    return strike(state, state.faults.take(call, Match(bot_id=bot_id)), sound)
