"""The routes: the call of a request, and the answer to an unknown one."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import ValidationError

from execsvc.errors import OrderRefused
from execsvc.sandbox import adapter_calls, admin, bot_service_calls
from execsvc.sandbox.fault_effects import apply_fault
from execsvc.sandbox.faults import Match
from execsvc.sandbox.instruments import UnknownSymbol
from execsvc.sandbox.state import SandboxState
from execsvc.sandbox.wire import HttpReply, HttpRequest, refusal

Call = Callable[[SandboxState, HttpRequest], HttpReply]

_BOT_SERVICE: dict[tuple[str, ...], Call] = {
    ("GET", "bots"): bot_service_calls.bots,
    ("POST", "bots"): bot_service_calls.add_bot,
    ("GET", "bots", "*"): bot_service_calls.get_bot,
    ("PUT", "bots", "*"): bot_service_calls.change_bot,
    ("DELETE", "bots", "*"): bot_service_calls.remove_bot,
    ("POST", "bots", "*", "start"): bot_service_calls.start_bot,
    ("POST", "bots", "*", "stop"): bot_service_calls.stop_bot,
    ("GET", "bots", "*", "sessions"): bot_service_calls.sessions,
    ("GET", "bots", "*", "stats"): bot_service_calls.statistics,
    ("GET", "sessions", "*"): bot_service_calls.session,
    ("POST", "orders"): bot_service_calls.report_order,
    ("PUT", "orders", "*", "status"): bot_service_calls.report_status,
    ("POST", "executions"): bot_service_calls.report_execution,
}
_ROUTES: dict[tuple[str, ...], Call] = {
    **_BOT_SERVICE,
    ("GET", "balance", "*"): adapter_calls.balance,
    ("GET", "market", "ticker"): adapter_calls.ticker,
    ("GET", "market", "depth"): adapter_calls.depth,
    ("GET", "market", "trades"): adapter_calls.trades,
    ("POST", "order"): adapter_calls.order,
    ("GET", "order", "*"): adapter_calls.lookup,
    ("GET", "sandbox", "books"): admin.books,
    ("PUT", "sandbox", "accounts", "*"): admin.set_account,
    ("POST", "sandbox", "accounts", "*", "trade"): admin.trade_by_hand,
    ("PUT", "sandbox", "market"): admin.change_market,
    ("PUT", "sandbox", "adapter"): admin.change_adapter,
    ("PUT", "sandbox", "bot-service"): admin.change_bot_service,
    ("PUT", "sandbox", "bots"): admin.replace_bots,
    ("PUT", "sandbox", "listing"): admin.change_listing,
    ("POST", "sandbox", "faults"): admin.add_faults,
    ("GET", "sandbox", "faults"): admin.show_faults,
    ("DELETE", "sandbox", "faults"): admin.clear_faults,
    ("GET", "sandbox", "reports"): admin.show_reports,
    ("DELETE", "sandbox", "reports"): admin.forget_reports,
    ("GET", "sandbox", "sessions"): admin.show_tables,
    ("GET", "sandbox", "requests"): admin.show_requests,
    ("DELETE", "sandbox", "requests"): admin.forget_requests,
}
_OF_BOT_SERVICE = frozenset(_BOT_SERVICE.values())


def answer(state: SandboxState, request: HttpRequest) -> HttpReply:
    """The answer of any request; all but those of ``/sandbox`` are recorded."""
    call = _find(request)
    if request.segments[0] == "sandbox":
        return _answered(state, request, call)
    entry = state.request_log.arrived("unknown" if call is None else call.__name__, request)
    reply = _answered(state, request, call)
    state.request_log.answered(entry, reply)
    return reply


def _answered(state: SandboxState, request: HttpRequest, call: Call | None) -> HttpReply:
    try:
        return _served(state, request, call)
    except ValidationError as error:
        return refusal(error.errors(include_url=False), 422)
    except (ValueError, KeyError) as error:
        return refusal(f"unusable request: {error}", 422)
    except UnknownSymbol as error:
        return refusal(f"BadSymbol: does not have market symbol {error}", 500)
    except OrderRefused as error:
        return refusal(str(error), 409)


def _served(state: SandboxState, request: HttpRequest, call: Call | None) -> HttpReply:
    if call is None:
        return refusal("Not Found", 404)
    if call not in _OF_BOT_SERVICE:
        return call(state, request)

    def perform() -> HttpReply:
        is_put_of_row = call is bot_service_calls.change_bot
        with state.bot_service.connection(state.stop_signal, is_put_of_row) as free:
            return call(state, request) if free else refusal("QueuePool limit reached", 500)

    return apply_fault(state, state.faults.take("bot_service", Match()), perform)


def _find(request: HttpRequest) -> Call | None:
    for route, call in _ROUTES.items():
        method, *pattern = route
        if method == request.method and _fits(pattern, request.segments):
            return call
    return None


def _fits(pattern: list[str], segments: tuple[str, ...]) -> bool:
    if len(pattern) != len(segments):
        return False
    return all(want in ("*", have) for want, have in zip(pattern, segments, strict=True))
