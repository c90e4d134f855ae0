"""The calls of BotService: its listing, its rows, starts and stops, sessions, reports of orders."""

from __future__ import annotations

from typing import Any, Literal

from execsvc.sandbox.bots import USUAL_LIMIT
from execsvc.sandbox.fault_effects import Perform, apply_fault
from execsvc.sandbox.faults import Match
from execsvc.sandbox.reports import ReportedExecution, ReportedOrder, ReportedStatus
from execsvc.sandbox.sessions import KnownExecution, UnknownOrder, UnknownSession
from execsvc.sandbox.state import Routes, SandboxState
from execsvc.sandbox.wire import HttpReply, HttpRequest, json_reply, refusal

FaultyCall = Literal[
    "bots",
    "report_order",
    "report_status",
    "report_execution",
    "start_bot",
    "stop_bot",
    "sessions",
]
"""The calls that a fault can be ordered for."""
_CONFIGURATION = ("name", "status", "global_settings", "pipeline")
"""The members that ``PUT /bots/{id}`` replaces."""
_LOCKED = frozenset({"BOOTING", "STOPPING"})
"""The statuses in which a row cannot be deleted."""
_KEY = "Idempotency-Key"


def bots(state: SandboxState, request: HttpRequest) -> HttpReply:
    """``GET /bots``."""
    listing = state.bots.listing

    def perform() -> HttpReply:
        if listing.body is not None and isinstance(listing.body, str):
            return HttpReply(listing.status, listing.body.encode())
        if listing.body is not None or listing.status != 200:
            return json_reply(listing.body, listing.status)
        skip, limit = int(request.query.get("skip", 0)), request.query.get("limit", USUAL_LIMIT)
        return json_reply(state.bots.page(request.query.get("status"), skip, int(limit)))

    return apply_fault(state, state.faults.take("bots", Match()), perform)


def get_bot(state: SandboxState, request: HttpRequest) -> HttpReply:
    """``GET /bots/{id}``."""
    return _row(state.bots.get(request.segments[1]))


def add_bot(state: SandboxState, request: HttpRequest) -> HttpReply:
    """``POST /bots``."""
    return json_reply(state.bots.add(_object(request)), 201)


def change_bot(state: SandboxState, request: HttpRequest) -> HttpReply:
    """``PUT /bots/{id}``: replaces name, status and the whole configuration."""
    sent = _object(request)
    usual = {"name": None, "status": "STOPPED", "global_settings": None, "pipeline": None}
    members = {name: sent.get(name, usual[name]) for name in _CONFIGURATION}
    return _row(state.bots.change(request.segments[1], members))


def remove_bot(state: SandboxState, request: HttpRequest) -> HttpReply:
    """``DELETE /bots/{id}``: 405 while it starts or stops."""
    row = state.bots.get(request.segments[1])
    if row is not None and row.get("status") in _LOCKED:
        return refusal(f"Bot is {row['status']}, it cannot be deleted", 405)
    return json_reply({"done": True}) if state.bots.remove(request.segments[1]) else _row(None)


def start_bot(state: SandboxState, request: HttpRequest) -> HttpReply:
    """``POST /bots/{id}/start``: opens a session, which it answers, and sets RUNNING."""
    bot_id = request.segments[1]

    def perform() -> HttpReply:
        session = state.sessions.start(bot_id)
        state.bots.change(bot_id, {"status": "RUNNING"})
        return json_reply(session)

    return _with_faults(state, "start_bot", bot_id, perform)


def stop_bot(state: SandboxState, request: HttpRequest) -> HttpReply:
    """``POST /bots/{id}/stop``: ends the session, which it answers, and sets STOPPED.

    Without a session STOPPED is set all the same, and the answer is a 400.
    """
    bot_id = request.segments[1]

    def perform() -> HttpReply:
        session = state.sessions.stop(bot_id)
        state.bots.change(bot_id, {"status": "STOPPED"})
        if session is None:
            return refusal("No active session found to stop", 400)
        return json_reply(session)

    return _with_faults(state, "stop_bot", bot_id, perform)


def sessions(state: SandboxState, request: HttpRequest) -> HttpReply:
    """``GET /bots/{id}/sessions``: the newest first."""
    bot_id = request.segments[1]
    return _with_faults(state, "sessions", bot_id, lambda: json_reply(state.sessions.of(bot_id)))


def session(state: SandboxState, request: HttpRequest) -> HttpReply:
    """``GET /sessions/{id}``: with its orders, the oldest first."""
    try:
        return json_reply(state.sessions.get(request.segments[1]))
    except UnknownSession:
        return refusal("Session not found", 404)


def statistics(state: SandboxState, request: HttpRequest) -> HttpReply:
    """``GET /bots/{id}/stats``."""
    bot_id = request.segments[1]
    if state.bots.get(bot_id) is None:
        return _row(None)
    return json_reply(state.sessions.statistics(bot_id))


def report_order(state: SandboxState, request: HttpRequest) -> HttpReply:
    """``POST /orders``: answers the order with its id."""
    order, key = ReportedOrder.model_validate(request.parsed()), request.headers.get(_KEY)

    def perform() -> HttpReply:
        if not state.bots.knows(order.bot_id):
            return refusal("Bot not found", 404)
        taken = state.sessions.order(order)
        state.reports.take("ORDER", taken["id"], order.bot_id, key, order)
        return json_reply(taken, 201)

    return _deduplicated(state, "report_order", order.bot_id, key, perform)


def report_status(state: SandboxState, request: HttpRequest) -> HttpReply:
    """``PUT /orders/{id}/status``: answers the order."""
    order_id, status = request.segments[1], ReportedStatus.model_validate(request.parsed())
    bot_id = state.sessions.bot_of(order_id)

    def perform() -> HttpReply:
        order = state.sessions.status(order_id, status.status)
        state.reports.take(status.status, order_id, bot_id, None, status)
        return json_reply(order)

    return _deduplicated(state, "report_status", bot_id, None, perform)


def report_execution(state: SandboxState, request: HttpRequest) -> HttpReply:
    """``POST /executions``: ``exchange_trade_id`` is the key; a second execution with it is a 400."""
    execution, key = ReportedExecution.model_validate(request.parsed()), request.headers.get(_KEY)
    bot_id = state.sessions.bot_of(execution.local_order_id)

    def perform() -> HttpReply:
        state.sessions.execution(execution)
        state.reports.take("EXECUTION", execution.local_order_id, bot_id, key, execution)
        return json_reply({"id": execution.exchange_trade_id}, 201)

    return _deduplicated(state, "report_execution", bot_id, key, perform)


def _with_faults(state: SandboxState, call: FaultyCall, bot_id: str, perform: Perform) -> HttpReply:
    def perform_normally() -> HttpReply:
        return _row(None) if state.bots.get(bot_id) is None else perform()

    return apply_fault(state, state.faults.take(call, Match(bot_id=bot_id)), perform_normally)


def _row(row: dict[str, Any] | None) -> HttpReply:
    return refusal("Bot not found", 404) if row is None else json_reply(row)


def _object(request: HttpRequest) -> dict[str, Any]:
    value = request.parsed()
    if not isinstance(value, dict):
        raise ValueError("body is not an object")
    return value


def _deduplicated(
    state: SandboxState, call: FaultyCall, bot_id: str | None, key: str | None, perform: Perform
) -> HttpReply:
    def perform_normally() -> HttpReply:
        known = state.bot_service.answered(key)
        if known is not None:
            return known
        try:
            reply = perform()
        except UnknownOrder as error:
            return refusal(f"Order {error} not found", 404)
        except UnknownSession as error:
            return refusal(f"Session {error} not found", 404)
        except KnownExecution as error:
            return refusal(f"Execution {error} already exists", 400)
        state.bot_service.remember(key, reply)
        return reply

    return apply_fault(state, state.faults.take(call, Match(bot_id=bot_id)), perform_normally)


ROUTES: Routes = {
    ("GET", "bots"): bots,
    ("POST", "bots"): add_bot,
    ("GET", "bots", "*"): get_bot,
    ("PUT", "bots", "*"): change_bot,
    ("DELETE", "bots", "*"): remove_bot,
    ("POST", "bots", "*", "start"): start_bot,
    ("POST", "bots", "*", "stop"): stop_bot,
    ("GET", "bots", "*", "sessions"): sessions,
    ("GET", "bots", "*", "stats"): statistics,
    ("GET", "sessions", "*"): session,
    ("POST", "orders"): report_order,
    ("PUT", "orders", "*", "status"): report_status,
    ("POST", "executions"): report_execution,
}
