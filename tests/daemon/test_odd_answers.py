"""A bot that does nothing says why: the symbol, the allocation, reads that fail, odd trades."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.bot_process import bot_row
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import Exchange
from support.plugins import Plugins

READS_ALL = """
def execute(self, ctx):
    ctx.depth(5), ctx.trades(20)
    ctx.log(f"mid {ctx.depth(5).mid}, sides {sorted(str(t.side) for t in ctx.trades(20))}")
"""
DEPTH = {"bids": [[49990, 1, 1767292988], [49980, 1]], "asks": [[50010, "1", "0", "4"]]}
SELDOM = 1.0
"""Seconds from tick to tick: most of the test is a minute in which nothing is to happen."""
SIDES = ("sell ", "SELL", "b", "s", "taker", None)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.says("trades_dropped")
def test_bot_that_does_nothing_says_why(daemon: Daemon, exchange: Exchange, tmp_path: Path) -> None:
    plugins = Plugins(tmp_path)
    plugins.add("reads_all", READS_ALL)
    trades = [{"timestamp": 1, "price": 1, "amount": 1, "side": side} for side in SIDES]
    exchange.fault("patch", call="depth", times=None, body=DEPTH)
    exchange.fault("patch", call="trades", times=None, body={"trades": trades})
    exchange.call("PUT", "/sandbox/accounts/poor", {"BTC": "1"})
    exchange.list_bots(
        bot_row("lower", symbol="btc/usdt", interval=SELDOM),
        bot_row("swap", symbol="BTC/USDT:USDT", interval=SELDOM),
        bot_row("nil", allocation="0", interval=SELDOM),
        {**bot_row("idle", allocation=0), "pipeline": {"strategy": {"id": "rsi_basic"}}},
        bot_row("poor", key="poor", interval=SELDOM),
        bot_row("odd", strategy="reads_all", interval=SELDOM),
    )
    daemon.start(**plugins.environ, EXECSVC_TICK_INTERVAL=str(SELDOM))
    for bot_id, words in {
        "lower": "GET /balance for btc/usdt: lists no btc, but BTC: ",
        "swap": "GET /balance for BTC/USDT:USDT: lists no USDT:USDT, but USDT: ",
        "nil": "account_allocation is 0: the bot may hold nothing, so it buys nothing",
        "idle": "account_allocation is 0: the bot may hold nothing, so it buys nothing",
        "poor": "an order of 0 BTC/USDT: GET /balance says free 1 BTC and 0 USDT, GET /market/ticker",
    }.items():
        eventually(
            lambda bot_id=bot_id, words=words: words in (daemon.bot(bot_id)["last_error"] or ""),
            f"{bot_id} says why",
            60,
        )
    eventually(lambda: "mid 50000" in daemon.log, "levels of three and four items are read", 60)
    assert "['None', 'buy', 'sell', 'sell', 'sell', 'taker']" in daemon.log
    said = "1 of 6 trades of BTC/USDT count for nothing"
    eventually(lambda: daemon.ticks("odd") > 20, "many ticks", 60)
    assert daemon.log.count(said) == 1
    assert "their side is neither buy nor sell, but 'taker'" in daemon.log
    for bot_id in ("lower", "swap"):
        eventually(lambda bot_id=bot_id: _is_told(daemon, bot_id), "a minute has passed", 180)
    assert exchange.orders() == []
    assert daemon.stop() == 0


def _is_told(daemon: Daemon, bot_id: str) -> bool:
    """True when ``/health`` says that the bot does not tick, and what its last read answered."""
    reasons: list[str] = daemon.health()[1]["reasons"]
    own = [
        text
        for text in reasons
        if text.startswith(f"bot {bot_id} (bot {bot_id}) has not ticked for ")
    ]
    return len(own) == 1 and "lists no" in own[0]
