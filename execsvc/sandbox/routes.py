"""The routes: the call of a request, and the answer to an unknown one."""

from __future__ import annotations

from pydantic import ValidationError

from execsvc.errors import OrderRefused
from execsvc.sandbox import adapter_calls, admin, bot_service_calls
from execsvc.sandbox.fault_effects import apply_fault
from execsvc.sandbox.faults import ANY_OF_BOT_SERVICE, Match
from execsvc.sandbox.instruments import UnknownSymbol
from execsvc.sandbox.state import Call, Routes, SandboxState
from execsvc.sandbox.wire import HttpReply, HttpRequest, refusal

_ROUTES: Routes = {**bot_service_calls.ROUTES, **adapter_calls.ROUTES, **admin.ROUTES}
_OF_BOT_SERVICE = frozenset(bot_service_calls.ROUTES.values())


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

    return apply_fault(state, state.faults.take(ANY_OF_BOT_SERVICE, Match()), perform)


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
