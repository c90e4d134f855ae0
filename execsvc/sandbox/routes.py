"""The routes: the call of a request, and the answer to an unknown one."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import ValidationError

from execsvc.errors import OrderRefused
from execsvc.sandbox import admin, bot_rows, calls, told
from execsvc.sandbox.faults import Match
from execsvc.sandbox.instruments import UnknownSymbol
from execsvc.sandbox.state import State
from execsvc.sandbox.strikes import strike
from execsvc.sandbox.wire import Reply, Request, refusal

Call = Callable[[State, Request], Reply]

_BOT_SERVICE: dict[tuple[str, ...], Call] = {
    ("GET", "bots"): calls.bots,
    ("POST", "bots"): bot_rows.add_bot,
    ("GET", "bots", "*"): bot_rows.get_bot,
    ("PUT", "bots", "*"): bot_rows.change_bot,
    ("DELETE", "bots", "*"): bot_rows.remove_bot,
    ("POST", "bots", "*", "start"): bot_rows.start_bot,
    ("POST", "bots", "*", "stop"): bot_rows.stop_bot,
    ("GET", "bots", "*", "sessions"): bot_rows.sessions,
    ("GET", "bots", "*", "stats"): bot_rows.statistics,
    ("GET", "sessions", "*"): bot_rows.session,
    ("POST", "orders"): told.report_order,
    ("PUT", "orders", "*", "status"): told.report_status,
    ("POST", "executions"): told.report_execution,
}
_ROUTES: dict[tuple[str, ...], Call] = {
    **_BOT_SERVICE,
    ("GET", "balance", "*"): calls.balance,
    ("GET", "market", "ticker"): calls.ticker,
    ("GET", "market", "depth"): calls.depth,
    ("GET", "market", "trades"): calls.trades,
    ("POST", "order"): calls.order,
    ("GET", "order", "*"): calls.lookup,
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
    ("GET", "sandbox", "reports"): told.show_reports,
    ("DELETE", "sandbox", "reports"): told.forget_reports,
    ("GET", "sandbox", "sessions"): told.show_tables,
    ("GET", "sandbox", "requests"): admin.show_requests,
    ("DELETE", "sandbox", "requests"): admin.forget_requests,
}
_OF_BOT_SERVICE = frozenset(_BOT_SERVICE.values())


def answer(state: State, request: Request) -> Reply:
    """The answer of any request; all but those of ``/sandbox`` are recorded."""
    call = _find(request)
    if request.segments[0] == "sandbox":
        return _called(state, request, call)
    entry = state.seen.arrived("unknown" if call is None else call.__name__, request)
    reply = _called(state, request, call)
    state.seen.answered(entry, reply)
    return reply


def _called(state: State, request: Request, call: Call | None) -> Reply:
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


def _served(state: State, request: Request, call: Call | None) -> Reply:
    if call is None:
        return refusal("Not Found", 404)
    if call not in _OF_BOT_SERVICE:
        return call(state, request)

    def act() -> Reply:
        is_put_of_row = call is bot_rows.change_bot
        with state.bot_service.connection(state.halt, is_put_of_row) as free:
            return call(state, request) if free else refusal("QueuePool limit reached", 500)

    return strike(state, state.faults.take("bot_service", Match()), act)


def _find(request: Request) -> Call | None:
    for route, call in _ROUTES.items():
        method, *pattern = route
        if method == request.method and _fits(pattern, request.segments):
            return call
    return None


def _fits(pattern: list[str], segments: tuple[str, ...]) -> bool:
    if len(pattern) != len(segments):
        return False
    return all(want in ("*", have) for want, have in zip(pattern, segments, strict=True))
