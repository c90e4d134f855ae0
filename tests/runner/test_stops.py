"""A stop, a hold and a lost supervisor at every moment of an order's life."""

from __future__ import annotations

import signal
from decimal import Decimal
from typing import Any

import pytest
from support.bot_process import BotProcess, BotProcesses, bot_row
from support.deadline import eventually
from support.exchange import OWN_BTC, Exchange
from support.stores import store_in

DUST = Decimal("0.00001")


def tracked(bot: BotProcess) -> Decimal:
    return Decimal(bot.last.position["tracked"] or 0)


def is_open(bots: BotProcesses, bot_id: str = "b1") -> bool:
    state = store_in(bots.state_dir).read(bot_id)
    assert state is not None
    return state.is_open


def kind(bot: BotProcess) -> str | None:
    return bot.last.end.kind.value if bot.last.end else None


def flat(bots: BotProcesses, exchange: Exchange) -> None:
    """Flat by the exchange's books and by what the supervisor reads."""
    assert not is_open(bots)
    assert 0 <= exchange.bots_base() < DUST
    assert exchange.lowest() >= OWN_BTC


MOMENTS: dict[str, dict[str, Any]] = {
    "sending": {"kind": "slow", "seconds": 1.0, "execute": True},
    "settling": {"kind": "status", "status": 500, "execute": True, "lag": 1.0},
    "arrival": {"kind": "no_fee", "lag": 1.0},
}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR2], ids=["TERM", "USR2"])
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_signal_while_a_buy_is_under_way(
    bots: BotProcesses, exchange: Exchange, moment: str, number: int
) -> None:
    exchange.fault(call="order", **MOMENTS[moment])
    bot = bots.start(bot_row())
    eventually(exchange.orders, "the buy arrives")
    bot.signal(number)
    assert bot.wait() == 0
    if number == signal.SIGUSR2:
        assert kind(bot) == "HELD"
        assert not exchange.orders(side="sell")
        bot = bots.start(bot_row())
        eventually(lambda: tracked(bot) > 0, "the position is recovered")
        assert tracked(bot) == exchange.bots_base()
        bot.signal(signal.SIGTERM)
        assert bot.wait() == 0
    assert kind(bot) == "STOPPED"
    flat(bots, exchange)
    assert len(exchange.executed(side="buy")) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR2], ids=["TERM", "USR2"])
def test_a_signal_while_it_waits_for_its_turn(
    bots: BotProcesses, exchange: Exchange, number: int
) -> None:
    other = store_in(bots.state_dir).account("k1")
    assert other.turn.try_acquire()
    bot = bots.start(bot_row())
    eventually(lambda: bot.last.phase == "RUNNING", "the first tick")
    bot.signal(number)
    assert bot.wait() == 0
    assert exchange.orders() == []
    other.close()


def test_a_stop_that_cuts_recovery_short_still_sells(
    bots: BotProcesses, exchange: Exchange
) -> None:
    """The order of the process before is not booked yet: the ledger alone looks flat."""
    exchange.fault("hang", call="order", execute=True)
    bot = bots.start(bot_row())
    eventually(exchange.executed, "the buy is executed")
    bot.signal(signal.SIGKILL)
    bot.wait()
    other = store_in(bots.state_dir).account("k1")
    assert other.turn.try_acquire()
    bot = bots.start(bot_row())
    eventually(lambda: bot.last.turn_wait > 0, "it waits for its turn")
    bot.signal(signal.SIGTERM)
    eventually(lambda: bot.last.phase == "STOPPING", "it stops")
    other.close()
    assert bot.wait() == 0
    assert kind(bot) == "STOPPED"
    flat(bots, exchange)
    assert len(exchange.executed()) == 2


@pytest.mark.parametrize("policy", ["liquidate", "hold"])
def test_an_orphan_does_as_it_is_configured(
    bots: BotProcesses, exchange: Exchange, policy: str
) -> None:
    bot = bots.start(bot_row(), EXECSVC_ON_SHUTDOWN=policy)
    eventually(lambda: tracked(bot) > 0, "the buy")
    bot.orphan()
    assert bot.wait() == 0
    assert kind(bot) == ("STOPPED" if policy == "liquidate" else "HELD")
    assert is_open(bots) == (policy == "hold")
    assert exchange.lowest() >= OWN_BTC


@pytest.mark.says("tick_skipped")
def test_a_refused_order_leaves_nothing_open(bots: BotProcesses, exchange: Exchange) -> None:
    """An outcome that stays unbooked would have the supervisor liquidate a flat bot."""
    exchange.fault("refuse", call="order", times=None)
    bot = bots.start(bot_row())
    eventually(lambda: len(exchange.orders()) > 1, "refused orders")
    bot.signal(signal.SIGTERM)
    assert bot.wait() == 0
    flat(bots, exchange)


def test_a_liquidation_without_balance_or_ticker_goes_on_until_it_is_flat(
    bots: BotProcesses, exchange: Exchange
) -> None:
    bot = bots.start(bot_row())
    eventually(lambda: tracked(bot) > 0, "the buy")
    exchange.fault("status", call="balance", times=None, status=500)
    exchange.fault("reset", call="ticker", times=None)
    bot.signal(signal.SIGTERM)
    assert bot.wait() == 75
    assert kind(bot) == "RESIDUE"
    assert bot.last.liquidation_failed
    again = bots.start("b1")
    assert again.wait() == 75
    exchange.heal()
    exchange.fault("reset", call="ticker", times=None)  # never blocks a sell
    last = bots.start("b1")
    assert last.wait() == 0
    assert not last.last.liquidation_failed
    flat(bots, exchange)
    rows = store_in(bots.state_dir).read_log("b1")
    assert [row.event for row in rows].count("liquidation_failed") == 2
    assert [row.event for row in rows].count("liquidation_recovered") == 1
