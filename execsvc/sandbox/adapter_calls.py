"""The calls of ExchangeAdapterService."""

from __future__ import annotations

from decimal import Decimal
from functools import partial

from execsvc.errors import OrderRefused
from execsvc.model.market import ZERO
from execsvc.sandbox import answers
from execsvc.sandbox.accounts import OrderRecord
from execsvc.sandbox.dialects import refusal_text
from execsvc.sandbox.exchange import OrderBody
from execsvc.sandbox.fault_effects import apply_fault
from execsvc.sandbox.faults import FaultKind, Match, Rule
from execsvc.sandbox.instruments import UnknownSymbol
from execsvc.sandbox.state import Routes, SandboxState
from execsvc.sandbox.wire import HttpReply, HttpRequest, Manner, json_reply, refusal

_DOLLARS = frozenset({"USD", "USDC", "USDT"})


def balance(state: SandboxState, request: HttpRequest) -> HttpReply:
    """``GET /balance/{key_id}``."""
    key_id = request.segments[1]
    rule = state.faults.take("balance", Match(key_id=key_id))
    lag = rule.balance_lag if rule is not None else 0.0

    def perform() -> HttpReply:
        account = state.exchange.account(key_id)
        with account.lock:
            held = account.shown(state.clock.now(), lag)
        answer = answers.balance(held, {asset: _value(state, asset) for asset in held})
        answer["assets"] += state.adapter.odd_rows
        return json_reply(answer)

    return apply_fault(state, rule, perform)


def ticker(state: SandboxState, request: HttpRequest) -> HttpReply:
    """``GET /market/ticker``."""

    def perform(symbol: str) -> HttpReply:
        limits = state.market.published_limits(symbol)
        return json_reply(answers.ticker(symbol, state.market.price(symbol), limits))

    symbol, rule = _market_call(state, request, "ticker")
    return apply_fault(state, rule, partial(perform, symbol))


def depth(state: SandboxState, request: HttpRequest) -> HttpReply:
    """``GET /market/depth``."""

    def perform(symbol: str) -> HttpReply:
        limit = int(request.query.get("limit", 50))
        return json_reply(answers.depth(state.market.depth(symbol), limit))

    symbol, rule = _market_call(state, request, "depth")
    return apply_fault(state, rule, partial(perform, symbol))


def trades(state: SandboxState, request: HttpRequest) -> HttpReply:
    """``GET /market/trades``."""

    def perform(symbol: str) -> HttpReply:
        limit = int(request.query.get("limit", 200))
        return json_reply(answers.trades(symbol, state.market.trades(symbol), limit))

    symbol, rule = _market_call(state, request, "trades")
    return apply_fault(state, rule, partial(perform, symbol))


def order(state: SandboxState, request: HttpRequest) -> HttpReply:
    """``POST /order``."""
    body = OrderBody.model_validate(request.parsed())
    subject = Match(key_id=body.key_id, symbol=body.symbol, side=body.side.value)
    record = state.exchange.receive(body, request.waited)
    rule = state.faults.take("order", subject)
    if rule is not None:
        record.fault = rule.kind.value
        record.postpone(rule.execution_delay)
    reply = apply_fault(state, rule, partial(_execute, state, record, rule))
    plain = reply.manner is Manner.PLAIN
    record.answered = str(reply.status) if plain else f"{reply.status} {reply.manner.value}"
    record.answered_at = state.clock.now()
    return reply


def lookup(state: SandboxState, request: HttpRequest) -> HttpReply:
    """``GET /order/{client_order_id}``, which today's adapter does not have."""
    wanted = request.segments[1]

    def perform() -> HttpReply:
        for account in state.exchange.accounts().values():
            for record in account.orders:
                arrived = record.executed_at is not None or record.refused is not None
                if arrived and record.client_order_id == wanted:
                    report = state.market.fee_report(record.symbol)
                    return json_reply(answers.unified(record, report))
        return refusal(f"unknown order {wanted}", 404)

    if state.adapter.order_lookup == "absent":
        return refusal("Not Found", 404)
    if state.adapter.order_lookup == "refused":
        return refusal("Method Not Allowed", 405)
    return apply_fault(state, state.faults.take("lookup", Match()), perform)


def _execute(state: SandboxState, record: OrderRecord, rule: Rule | None) -> HttpReply:
    part, lag = (rule.filled_part, rule.balance_lag) if rule is not None else (None, 0.0)
    try:
        state.exchange.execute(record, part, lag)
    except OrderRefused as error:
        return refusal(refusal_text(state.market.dialect(record.symbol), error), 500)
    reply = json_reply(answers.order(record, state.market.fee_report(record.symbol)))
    if rule is not None and rule.kind is FaultKind.OPEN and rule.seconds is not None:
        state.delayed_calls.call(rule.seconds, partial(state.exchange.execute_rest, record))
    return reply


def _market_call(state: SandboxState, request: HttpRequest, call: str) -> tuple[str, Rule | None]:
    symbol = request.query["symbol"]
    return symbol, state.faults.take(call, Match(key_id=request.query["key_id"], symbol=symbol))


def _value(state: SandboxState, asset: str) -> Decimal:
    if asset in _DOLLARS:
        return Decimal(1)
    try:
        return state.market.price(f"{asset}/USDT")
    except UnknownSymbol:
        return ZERO


ROUTES: Routes = {
    ("GET", "balance", "*"): balance,
    ("GET", "market", "ticker"): ticker,
    ("GET", "market", "depth"): depth,
    ("GET", "market", "trades"): trades,
    ("POST", "order"): order,
    ("GET", "order", "*"): lookup,
}
"""The calls of the adapter; the functions' names are the calls that a fault can be ordered for."""
