"""Markets with odd steps and sizes: nothing of the user's is sold, and the bot ends flat."""

from __future__ import annotations

import signal
from decimal import Decimal
from typing import Any

import pytest
from support.bot_process import BotProcess, BotProcesses, bot_row
from support.deadline import eventually
from support.exchange import OWN_BTC, Exchange

MARKETS: dict[str, dict[str, Any]] = {
    "tens": {"price": "0.5", "min_amount": "10", "min_notional": "1"},
    "cheap": {"price": "0.00000001", "min_amount": "1000", "min_notional": "1"},
    "dear": {"price": "10000000", "min_amount": "0.0000001", "decimals": 8},
    "no limits": {"publish_limits": False},
    "no minima": {"min_amount": None, "min_notional": None},
    "quote fees": {"fees": "quote"},
    "silent fees": {"fees": "null"},
}


def tracked(bot: BotProcess) -> Decimal:
    return Decimal(bot.last.position["tracked"] or 0)


@pytest.mark.parametrize("name", MARKETS)
def test_a_round_trip(bots: BotProcesses, exchange: Exchange, name: str) -> None:
    market = MARKETS[name]
    exchange.market(**market)
    bot = bots.start(bot_row())
    eventually(lambda: tracked(bot) > 0, "the buy")
    assert tracked(bot) == exchange.bots_base()
    bot.signal(signal.SIGTERM)
    assert bot.wait() == 0
    assert exchange.lowest() >= OWN_BTC
    assert tracked(bot) == exchange.bots_base()
    least = Decimal(market.get("min_amount") or "0.00001")
    assert tracked(bot) < max(least, 5 / Decimal(market.get("price", 50000)))
    assert len(exchange.executed()) == 2


def test_a_fee_of_another_unit_is_not_believed(bots: BotProcesses, exchange: Exchange) -> None:
    """A fee in quote that is labelled as base would leave a position of nothing."""
    fee = {"currency": "BTC", "cost": 1}
    exchange.fault("patch", call="order", body={"details": {"fee": fee, "fees": [fee]}})
    bot = bots.start(bot_row())
    eventually(lambda: tracked(bot) > 0, "the buy")
    assert tracked(bot) == exchange.bots_base()
    bot.signal(signal.SIGTERM)
    assert bot.wait() == 0
    assert 0 <= exchange.bots_base() < Decimal("0.00001")
