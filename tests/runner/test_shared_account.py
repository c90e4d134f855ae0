"""Bots of the same size on one account: each fill is one bot's, and only once."""

from __future__ import annotations

import signal
from decimal import Decimal

from support.bot_process import BotProcess, BotProcesses, bot_row
from support.deadline import eventually
from support.exchange import OWN_BTC, Exchange
from support.stores import store_in

DUST = Decimal("0.00001")


def tracked(bot: BotProcess) -> Decimal:
    return Decimal(bot.last.position["tracked"] or 0)


def test_unknown_outcomes_with_lagging_balances(bots: BotProcesses, exchange: Exchange) -> None:
    """Each next order must not take the fill before it, which shows late, for its own."""
    for execute in (True, False, True, True, False, True):
        exchange.fault("status", call="order", status=500, execute=execute, lag=0.4)
    started = [bots.start(bot_row(f"b{n}", allocation="500")) for n in range(3)]
    eventually(lambda: all(tracked(bot) > 0 for bot in started), "all have bought", 90)
    assert sum(tracked(bot) for bot in started) == exchange.bots_base()
    assert len(exchange.executed(side="buy")) == 3
    for bot in started:
        bot.signal(signal.SIGTERM)
    assert [bot.wait(90) for bot in started] == [0, 0, 0]
    assert exchange.lowest() >= OWN_BTC
    assert 0 <= exchange.bots_base() < 3 * DUST
    assert sum(tracked(bot) for bot in started) == exchange.bots_base()
    assert len(exchange.executed(side="sell")) == 3


def test_a_dead_bots_order_is_settled_by_the_next_one(
    bots: BotProcesses, exchange: Exchange
) -> None:
    exchange.fault("hang", call="order", execute=True)
    dead = bots.start(bot_row("dead", allocation="500"))
    eventually(exchange.executed, "the buy is executed")
    dead.signal(signal.SIGKILL)
    dead.wait()
    other = bots.start(bot_row("other", allocation="500"))
    eventually(lambda: tracked(other) > 0, "the other bot buys")
    left = store_in(bots.state_dir).read("dead")
    assert left is not None
    assert left.is_open
    back = bots.start(bot_row("dead", allocation="500"))
    eventually(lambda: tracked(back) > 0, "its own buy is found")
    assert tracked(back) == tracked(other) == exchange.bots_base() / 2
    for bot in (back, other):
        bot.signal(signal.SIGTERM)
        assert bot.wait() == 0
    assert len(exchange.executed(side="buy")) == 2
    assert exchange.lowest() >= OWN_BTC


def test_a_stop_leaves_another_bots_settlement_only_when_it_has_nothing_to_sell(
    bots: BotProcesses, exchange: Exchange
) -> None:
    rich = bots.start(bot_row("rich", allocation="500"))
    eventually(lambda: tracked(rich) > 0, "it has something to sell")
    exchange.fault("hang", call="order")
    dead = bots.start(bot_row("dead", allocation="500"))
    eventually(lambda: len(exchange.orders()) == 2, "the order arrives")
    dead.signal(signal.SIGKILL)
    dead.wait()
    poor = bots.start(bot_row("poor", allocation="500"))
    eventually(lambda: "settling" in (poor.last.last_error or ""), "it settles the dead one's")
    poor.signal(signal.SIGTERM)
    rich.signal(signal.SIGTERM)
    assert poor.wait() == 0
    assert rich.wait() == 0
    assert 0 <= exchange.bots_base() < DUST
    assert len(exchange.executed(side="buy")) == 1
