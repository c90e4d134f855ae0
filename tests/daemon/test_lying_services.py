"""Services that answer anything at all, with the daemon alive: nothing is traded on a bad answer."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from support.bot_process import bot_row
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import OWN_BTC, Exchange
from support.liar import Liar, Lie, liar, patched
from support.lies import WIRE, ok
from support.plugins import Plugins

from execsvc.sandbox.server import Sandbox

CRUMB = Decimal("0.00001")
HONEST = "honest"
READER = """
def execute(self, ctx):
    if ctx.position.side is None:
        ctx.trades(20)
        ctx.depth(5)
        self.enter(ctx)
"""


def ticker(**members: object) -> bytes:
    """A ticker with other members."""
    return ok({"symbol": "BTC/USDT", "price": 50000, "limits": None, **members})


def depth(bids: object, asks: object) -> bytes:
    """A book."""
    return ok({"symbol": "BTC/USDT", "timestamp": None, "bids": bids, "asks": asks})


def trades(**members: object) -> bytes:
    """One trade with other members."""
    right = {"timestamp": 1, "price": 1, "amount": 1, "side": "buy"}
    return ok({"symbol": "BTC/USDT", "trades": [{**right, **members}]})


READS: dict[str, tuple[str, Lie]] = {
    **{f"ticker_{name}": ("ticker", lie) for name, lie in WIRE.items()},
    "ticker_zero": ("ticker", ticker(price=0)),
    "ticker_negative": ("ticker", ticker(price=-1)),
    "ticker_huge": ("ticker", ok(b'{"symbol": "BTC/USDT", "price": 1e400}')),
    "ticker_digits": ("ticker", ok(b'{"symbol": "BTC/USDT", "price": 1' + b"0" * 5000 + b"}")),
    "ticker_tiny": ("ticker", ok(b'{"symbol": "BTC/USDT", "price": 1e-400}')),
    "ticker_text": ("ticker", ticker(price="NaN")),
    "ticker_other": ("ticker", ticker(symbol="ETH/USDT")),
    "ticker_limits": ("ticker", ticker(limits={"min_amount": "Infinity"})),
    "balance_html": ("balance", WIRE["html"]),
    "balance_empty": ("balance", ok({"assets": []})),
    "balance_null": ("balance", ok({"assets": None})),
    "balance_minus": ("balance", ok({"assets": [{"asset": "USDT", "free": -1, "locked": 0}]})),
    "balance_nan": ("balance", ok(b'{"assets": [{"asset": "USDT", "free": NaN, "locked": 0}]}')),
    "balance_huge": ("balance", ok({"assets": [{"asset": "USDT", "free": 1e300, "locked": 0}]})),
    "balance_twice": (
        "balance",
        ok({"assets": [{"asset": "USDT", "free": free, "locked": 0} for free in (9999, None)]}),
    ),
    "depth_crossed": ("depth", depth([[10, 1]], [[9, 1]])),
    "depth_empty": ("depth", depth([], [])),
    "depth_level": ("depth", depth([[1]], [[2, 1]])),
    "depth_zero": ("depth", depth([[0, 1]], [[1, 1]])),
    "depth_upside_down": ("depth", depth([[1, 1], [2, 1]], [[3, 1]])),
    "trades_html": ("trades", WIRE["html"]),
    "trades_null": ("trades", ok({"symbol": "BTC/USDT", "trades": None})),
    "trades_price": ("trades", trades(price=-1)),
    "trades_time": ("trades", trades(timestamp="yesterday")),
}


@pytest.fixture
def between(sandbox: Sandbox) -> Iterator[Liar]:
    """The server that the daemon takes for both services."""
    yield from liar(sandbox.url)


def through(between: Liar) -> dict[str, str]:
    """The environment of a daemon that talks to the liar."""
    return {
        "EXECSVC_BOT_SERVICE_URL": between.url,
        "EXECSVC_EXCHANGE_ADAPTER_URL": between.url,
        "EXECSVC_REQUEST_TIMEOUT": "3",
    }


def test_nothing_is_traded_on_a_bad_read(
    daemon: Daemon, exchange: Exchange, between: Liar, tmp_path: Path
) -> None:
    plugins = Plugins(tmp_path)
    plugins.add("reader", READER)
    for name, (call, lie) in READS.items():
        exchange.fund(name)
        between.lie(call, lie, name)
    exchange.fund(HONEST)
    exchange.list_bots(
        *[bot_row(n, key=n, strategy="reader", interval=2) for n in (HONEST, *READS)]
    )
    daemon.start(**through(between), **plugins.environ)
    daemon.until_holding(HONEST, 60)
    for name, (call, _) in READS.items():
        eventually(lambda at=(call, name): between.told[at] >= 1, f"{name} was lied to", 90)
    bots = {bot["bot_id"]: bot for bot in daemon.status()["bots"]}
    for name in READS:
        bot = eventually(lambda name=name: _fault(daemon, name), f"{name} says why", 60)
        assert (bot["state"], bot["restarts"], bot["consecutive_errors"]) == ("RUNNING", 0, 0), bot
        assert bot["pid"] == bots[name]["pid"], bot
        assert exchange.orders(name) == [], name
    between.repent()
    for name in READS:
        daemon.until_holding(name, 60)
    assert daemon.stop(90) == 0
    for name in READS:
        assert 0 <= exchange.bots_base(name) < CRUMB
        assert exchange.lowest(name) >= OWN_BTC
    eventually(lambda: not daemon.family(), "no process of it lives")


def _fault(daemon: Daemon, name: str) -> dict[str, object]:
    bot = daemon.bot(name)
    return bot if bot["last_error"] else {}


ROW_LIES: dict[str, Lie] = {
    **{name: WIRE[name] for name in ("nothing", "html", "redirect", "bad_request", "no_utf8")},
    **{name: WIRE[name] for name in ("brackets", "cut", "negative_length", "drip", "flood")},
    "object": ok({}),
    "null": ok(None),
    "text": ok("[]"),
    "number": ok(b"1e400"),
    "many": ok([{"id": f"x{n}", "status": "RUNNING"} for n in range(50)] + ["no row"])[:-1],
}


def test_nobody_is_stopped_by_a_bad_listing(
    daemon: Daemon, exchange: Exchange, between: Liar
) -> None:
    exchange.list_bots(*[bot_row(f"b{n}") for n in range(3)])
    daemon.start(**{**through(between), "EXECSVC_REQUEST_TIMEOUT": "1"})
    held = [daemon.until_holding(f"b{n}")["pid"] for n in range(3)]
    for name, lie in ROW_LIES.items():
        failures = daemon.status()["poll"]["consecutive_failures"]
        between.lie("bots", lie)
        eventually(
            lambda least=failures + 1: daemon.status()["poll"]["consecutive_failures"] >= least,
            f"listings fail: {name}",
        )
        assert [daemon.bot(f"b{n}")["pid"] for n in range(3)] == held, name
    assert exchange.executed(side="sell") == []
    between.repent()
    eventually(lambda: daemon.health()[1]["status"] == "ok", "healthy again")
    assert daemon.stop() == 0
    assert 0 <= exchange.bots_base() < CRUMB


def lower_case_fee(connection: socket.socket, truth: bytes) -> None:
    """The right fee, in an asset that is written otherwise."""
    connection.sendall(truth.replace(b'"currency": "BTC"', b'"currency": "btc"'))


ORDER_LIES: dict[str, Lie] = {
    **{name: lie for name, lie in WIRE.items() if name not in ("bad_request", "endless_head")},
    "filled_more": patched(filled=0.5),
    "filled_minus": patched(filled=-0.01),
    "filled_text": patched(filled="all of it"),
    "filled_nan": patched(filled="NaN"),
    "other_symbol": patched(symbol="ETH/USDT"),
    "other_side": patched(side="neither"),
    "other_amount": patched(amount=0.9),
    "other_id": patched(clientOrderId="somebody-elses", id="\ud800"),
    "average_nan": patched(average="NaN", cost=None),
    "average_huge": patched(average=1e14),
    "fee_larger": patched(fees=[{"currency": "BTC", "cost": 0.9}]),
    "fee_minus": patched(fees=[{"currency": "BTC", "cost": -0.9}]),
    "fee_lower_case": lower_case_fee,
    "fee_of_nobody": patched(fees=[{"currency": None, "cost": 0.00001}]),
    "fee_nan": patched(fees=[{"currency": "BTC", "cost": "NaN"}]),
    "still_open": patched(status="open"),
    "no_status": patched(status=None),
    "nothing_filled_yet": patched(filled=None),
}


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_an_answer_to_an_order_that_lies_costs_the_user_nothing(
    daemon: Daemon, exchange: Exchange, between: Liar, side: str
) -> None:
    heard = list(ORDER_LIES)
    unheard = [f"{name}_unheard" for name in WIRE if name in ORDER_LIES and name != "drip"]
    for name in (*heard, *unheard):
        exchange.fund(name)
        between.lie(side, ORDER_LIES[name.removesuffix("_unheard")], name, heard=name in heard)
    exchange.list_bots(*[bot_row(name, key=name, interval=1) for name in (*heard, *unheard)])
    daemon.start(**through(between))
    if side == "sell":
        for name in (*heard, *unheard):
            daemon.until_holding(name, 60)
        exchange.list_bots()
    for name in (*heard, *unheard):
        eventually(lambda at=(side, name): between.told[at], f"{name} was lied to", 90)
    between.repent()
    if side == "buy":
        for name in heard:
            daemon.until_holding(name, 60)
    code = daemon.stop(90)
    for name in (*heard, *unheard):
        assert exchange.lowest(name) >= OWN_BTC, name
        assert not any(order["resends"] for order in exchange.orders(name)), name
        assert 0 <= exchange.bots_base(name) < CRUMB, (name, daemon.log[-2000:])
    assert code == 0
