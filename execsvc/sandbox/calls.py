"""The calls of BotService and ExchangeAdapterService."""

from __future__ import annotations

from decimal import Decimal
from functools import partial

from execsvc.errors import OrderRefused
from execsvc.model.market import ZERO
from execsvc.sandbox import answers
from execsvc.sandbox.accounts import OrderRecord
from execsvc.sandbox.bots import USUAL_LIMIT
from execsvc.sandbox.dialects import said
from execsvc.sandbox.exchange import OrderBody
from execsvc.sandbox.faults import Kind, Match, Rule
from execsvc.sandbox.instruments import UnknownSymbol
from execsvc.sandbox.state import State
from execsvc.sandbox.strikes import strike
from execsvc.sandbox.wire import Manner, Reply, Request, json_reply, refusal

_DOLLARS = frozenset({"USD", "USDC", "USDT"})


def bots(state: State, request: Request) -> Reply:
    """``GET /bots``."""
    listing = state.bots.listing

    def act() -> Reply:
        if listing.body is not None and isinstance(listing.body, str):
            return Reply(listing.status, listing.body.encode())
        if listing.body is not None or listing.status != 200:
            return json_reply(listing.body, listing.status)
        skip, limit = int(request.query.get("skip", 0)), request.query.get("limit", USUAL_LIMIT)
        return json_reply(state.bots.page(request.query.get("status"), skip, int(limit)))

    return strike(state, state.faults.take("bots", Match()), act)


def balance(state: State, request: Request) -> Reply:
    """``GET /balance/{key_id}``."""
    key_id = request.segments[1]
    rule = state.faults.take("balance", Match(key_id=key_id))
    lag = rule.balance_lag if rule is not None else 0.0

    def act() -> Reply:
        account = state.exchange.account(key_id)
        with account.lock:
            held = account.shown(state.clock.now(), lag)
        answer = answers.balance(held, {asset: _value(state, asset) for asset in held})
        answer["assets"] += state.adapter.odd_rows
        return json_reply(answer)

    return strike(state, rule, act)


def ticker(state: State, request: Request) -> Reply:
    """``GET /market/ticker``."""

    def act(symbol: str) -> Reply:
        limits = state.market.published_limits(symbol)
        return json_reply(answers.ticker(symbol, state.market.price(symbol), limits))

    symbol, rule = _market_call(state, request, "ticker")
    return strike(state, rule, partial(act, symbol))


def depth(state: State, request: Request) -> Reply:
    """``GET /market/depth``."""

    def act(symbol: str) -> Reply:
        limit = int(request.query.get("limit", 50))
        return json_reply(answers.depth(state.market.depth(symbol), limit))

    symbol, rule = _market_call(state, request, "depth")
    return strike(state, rule, partial(act, symbol))


def trades(state: State, request: Request) -> Reply:
    """``GET /market/trades``."""

    def act(symbol: str) -> Reply:
        limit = int(request.query.get("limit", 200))
        return json_reply(answers.trades(symbol, state.market.trades(symbol), limit))

    symbol, rule = _market_call(state, request, "trades")
    return strike(state, rule, partial(act, symbol))


def order(state: State, request: Request) -> Reply:
    """``POST /order``."""
    body = OrderBody.model_validate(request.parsed())
    subject = Match(key_id=body.key_id, symbol=body.symbol, side=body.side.value)
    record = state.exchange.receive(body, request.waited)
    rule = state.faults.take("order", subject)
    if rule is not None:
        record.fault = rule.kind.value
        record.postpone(rule.execution_delay)
    reply = strike(state, rule, partial(_execute, state, record, rule))
    plain = reply.manner is Manner.PLAIN
    record.answered = str(reply.status) if plain else f"{reply.status} {reply.manner.value}"
    record.answered_at = state.clock.now()
    return reply


def lookup(state: State, request: Request) -> Reply:
    """``GET /order/{client_order_id}``, which today's adapter does not have."""
    wanted = request.segments[1]

    def act() -> Reply:
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
    return strike(state, state.faults.take("lookup", Match()), act)


def _execute(state: State, record: OrderRecord, rule: Rule | None) -> Reply:
    part, lag = (rule.filled_part, rule.balance_lag) if rule is not None else (None, 0.0)
    try:
        state.exchange.execute(record, part, lag)
    except OrderRefused as error:
        return refusal(said(state.market.dialect(record.symbol), error), 500)
    reply = json_reply(answers.order(record, state.market.fee_report(record.symbol)))
    if rule is not None and rule.kind is Kind.OPEN and rule.seconds is not None:
        state.later.call(rule.seconds, partial(state.exchange.execute_rest, record))
    return reply


def _market_call(state: State, request: Request, call: str) -> tuple[str, Rule | None]:
    symbol = request.query["symbol"]
    return symbol, state.faults.take(call, Match(key_id=request.query["key_id"], symbol=symbol))


def _value(state: State, asset: str) -> Decimal:
    if asset in _DOLLARS:
        return Decimal(1)
    try:
        return state.market.price(f"{asset}/USDT")
    except UnknownSymbol:
        return ZERO
