"""BotService's tables held against the exchange's books and against what the front end's user did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from support.exchange import Exchange
from support.front_end import FrontEnd
from support.verdicts import assert_flat


def executed_orders(exchange: Exchange, keys: Iterable[str]) -> list[dict[str, Any]]:
    """The orders of all these accounts of which something was filled."""
    return [order for key in keys for order in exchange.executed(key)]


def all_reported(exchange: Exchange, keys: Iterable[str]) -> bool:
    """True when BotService has as many executions as the exchange."""
    return len(exchange.tables()["executions"]) == len(executed_orders(exchange, keys))


def judge(
    exchange: Exchange, front_end: FrontEnd, keys: Iterable[str], deaths: bool = False
) -> None:
    """Sessions are starts, executions the exchange's orders, and each row is where it was put.

    ``deaths``: processes were killed, so that an order may have been reported twice, of which one is
    then never heard of again.
    """
    keys = list(keys)
    tables = exchange.tables()
    _judge_sessions(tables["sessions"], front_end, exchange)
    _judge_executions(tables["executions"], executed_orders(exchange, keys))
    _judge_orders(tables, deaths)
    for key in keys:
        assert_flat(exchange, key, crumbs=2 * len(front_end.wanted))


def _judge_sessions(
    sessions: list[dict[str, Any]], front_end: FrontEnd, exchange: Exchange
) -> None:
    emergencies = [session["bot_id"] for session in sessions if session["opened_by"] == "order"]
    assert emergencies == [], f"{len(emergencies)} emergency sessions of {len(sessions)}"
    assert Counter(session["bot_id"] for session in sessions) == front_end.starts
    statuses = {bot_id: exchange.bot_status(bot_id) for bot_id in front_end.wanted}
    assert statuses == front_end.wanted
    active = {session["bot_id"] for session in sessions if session["status"] == "ACTIVE"}
    assert active == {bot_id for bot_id, status in statuses.items() if status == "RUNNING"}


def _judge_executions(executions: list[dict[str, Any]], orders: list[dict[str, Any]]) -> None:
    told = {one["exchange_trade_id"]: one for one in executions}
    assert len(told) == len(executions)
    assert told.keys() == {order["client_order_id"] for order in orders}
    for order in orders:
        execution = told[order["client_order_id"]]
        # Of an order whose answer was too late for us, its exchange's id is not known.
        assert execution["exchange_order_id"] in (order["order_id"], order["client_order_id"])
        assert execution["side"] == order["side"].upper()
        assert Decimal(execution["quantity"]) == Decimal(order["filled"])


def _judge_orders(tables: dict[str, Any], deaths: bool) -> None:
    """Each execution has an order of its own, which is FILLED, in a session of the right bot."""
    orders = {}
    for session in tables["sessions"]:
        for order in session["orders"]:
            assert order["bot_id"] == session["bot_id"]
            orders[order["id"]] = order
    filled = Counter(one["local_order_id"] for one in tables["executions"])
    assert set(filled.values()) <= {1}
    assert {orders[order_id]["status"] for order_id in filled} <= {"FILLED"}
    if not deaths:
        ended = {order["status"] for order in orders.values()}
        assert ended <= {"FILLED", "FAILED"}, Counter(o["status"] for o in orders.values())
        assert {key for key, o in orders.items() if o["status"] == "FILLED"} == filled.keys()


def sides(exchange: Exchange) -> list[list[str]]:
    """The sides of the orders of each session that was ended, as BotService shows them."""
    ended = [s for s in exchange.tables()["sessions"] if s["status"] == "ENDED"]
    return [[order["side"] for order in session["orders"]] for session in ended]
