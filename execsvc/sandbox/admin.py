"""The calls under ``/sandbox``, by which a test reads and changes the sandbox."""

from __future__ import annotations

from typing import Any, get_args

from pydantic import TypeAdapter

from execsvc.model.market import Quantity
from execsvc.sandbox import adapter_calls, bot_service_calls
from execsvc.sandbox.books import all_books
from execsvc.sandbox.bot_service import BotServiceFeatures
from execsvc.sandbox.bots import ListingFaults
from execsvc.sandbox.exchange import HandTrade
from execsvc.sandbox.faults import ANY, ANY_OF_BOT_SERVICE, Rule
from execsvc.sandbox.market import MarketChange
from execsvc.sandbox.state import AdapterFeatures, Routes, SandboxState
from execsvc.sandbox.wire import HttpReply, HttpRequest, json_reply

_BALANCES = TypeAdapter(dict[str, Quantity])
_RULES = TypeAdapter(list[Rule])
_DONE = {"done": True}
_FAULTY_CALLS = frozenset(
    {
        *(call.__name__ for call in adapter_calls.ROUTES.values()),
        *get_args(bot_service_calls.FaultyCall),
        ANY_OF_BOT_SERVICE,
        ANY,
    }
)
"""The calls that a fault can be ordered for, by name."""


def books(state: SandboxState, request: HttpRequest) -> HttpReply:
    """``GET /sandbox/books``; ``key`` picks one account, ``events=0`` leaves events out."""
    events = request.query.get("events") != "0"
    return json_reply(all_books(state.exchange, request.query.get("key"), events))


def set_account(state: SandboxState, request: HttpRequest) -> HttpReply:
    """``PUT /sandbox/accounts/{key}``: a new account with the balances of the body."""
    state.exchange.open_account(request.segments[2], _BALANCES.validate_python(request.parsed()))
    return json_reply(_DONE)


def trade_by_hand(state: SandboxState, request: HttpRequest) -> HttpReply:
    """``POST /sandbox/accounts/{key}/trade``: the user trades, or moves coins."""
    state.exchange.trade_by_hand(request.segments[2], HandTrade.model_validate(request.parsed()))
    return json_reply(_DONE)


def change_market(state: SandboxState, request: HttpRequest) -> HttpReply:
    """``PUT /sandbox/market``."""
    state.market.change(MarketChange.model_validate(request.parsed()))
    return json_reply(_DONE)


def change_adapter(state: SandboxState, request: HttpRequest) -> HttpReply:
    """``PUT /sandbox/adapter``."""
    wanted = AdapterFeatures.model_validate(request.parsed())
    state.adapter.order_lookup = wanted.order_lookup
    state.exchange.deduplicate = state.adapter.deduplicate = wanted.deduplicate
    state.exchange.receive_window = state.adapter.receive_window = wanted.receive_window
    state.adapter.odd_rows = wanted.odd_rows
    return json_reply(_DONE)


def change_bot_service(state: SandboxState, request: HttpRequest) -> HttpReply:
    """``PUT /sandbox/bot-service``: the features of BotService from now on."""
    state.bot_service.features = BotServiceFeatures.model_validate(request.parsed())
    return json_reply(_DONE)


def replace_bots(state: SandboxState, request: HttpRequest) -> HttpReply:
    """``PUT /sandbox/bots``: these rows and no others."""
    state.bots.replace(_array(request))
    return json_reply(_DONE)


def change_listing(state: SandboxState, request: HttpRequest) -> HttpReply:
    """``PUT /sandbox/listing``: the way in which ``GET /bots`` answers from now on."""
    state.bots.listing = ListingFaults.model_validate(request.parsed())
    return json_reply(_DONE)


def add_faults(state: SandboxState, request: HttpRequest) -> HttpReply:
    """``POST /sandbox/faults``: one rule or an array of them."""
    given = request.parsed()
    rules = _RULES.validate_python(given if isinstance(given, list) else [given])
    unknown = {rule.call for rule in rules} - _FAULTY_CALLS
    if unknown:
        raise ValueError(f"no call is named {', '.join(sorted(unknown))}")
    state.faults.append(rules)
    return json_reply(_DONE)


def clear_faults(state: SandboxState, request: HttpRequest) -> HttpReply:
    """``DELETE /sandbox/faults``."""
    state.faults.clear()
    return json_reply(_DONE)


def show_faults(state: SandboxState, request: HttpRequest) -> HttpReply:
    """``GET /sandbox/faults``: the rules with the numbers of requests that they matched and hit."""
    return json_reply(state.faults.report())


def show_reports(state: SandboxState, request: HttpRequest) -> HttpReply:
    """``GET /sandbox/reports``."""
    return json_reply(state.reports.all())


def forget_reports(state: SandboxState, request: HttpRequest) -> HttpReply:
    """``DELETE /sandbox/reports``."""
    state.reports.clear()
    return json_reply({"done": True})


def show_tables(state: SandboxState, request: HttpRequest) -> HttpReply:
    """``GET /sandbox/sessions``: every session with its orders, and every execution."""
    return json_reply(state.sessions.tables())


def show_requests(state: SandboxState, request: HttpRequest) -> HttpReply:
    """``GET /sandbox/requests``; ``last`` is the number shown in full (200)."""
    return json_reply(state.request_log.report(int(request.query.get("last", 200))))


def forget_requests(state: SandboxState, request: HttpRequest) -> HttpReply:
    """``DELETE /sandbox/requests``."""
    state.request_log.clear()
    return json_reply(_DONE)


def _array(request: HttpRequest) -> list[Any]:
    value = request.parsed()
    if not isinstance(value, list):
        raise ValueError("body is not an array")
    return value


ROUTES: Routes = {
    ("GET", "sandbox", "books"): books,
    ("PUT", "sandbox", "accounts", "*"): set_account,
    ("POST", "sandbox", "accounts", "*", "trade"): trade_by_hand,
    ("PUT", "sandbox", "market"): change_market,
    ("PUT", "sandbox", "adapter"): change_adapter,
    ("PUT", "sandbox", "bot-service"): change_bot_service,
    ("PUT", "sandbox", "bots"): replace_bots,
    ("PUT", "sandbox", "listing"): change_listing,
    ("POST", "sandbox", "faults"): add_faults,
    ("GET", "sandbox", "faults"): show_faults,
    ("DELETE", "sandbox", "faults"): clear_faults,
    ("GET", "sandbox", "reports"): show_reports,
    ("DELETE", "sandbox", "reports"): forget_reports,
    ("GET", "sandbox", "sessions"): show_tables,
    ("GET", "sandbox", "requests"): show_requests,
    ("DELETE", "sandbox", "requests"): forget_requests,
}
