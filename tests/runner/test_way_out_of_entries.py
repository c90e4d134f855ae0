"""An entry is made only if what it brings can be sold again."""

from __future__ import annotations

import signal
from decimal import Decimal

from support.bot_process import BotProcesses, bot_row
from support.deadline import eventually
from support.exchange import Exchange

D = Decimal


def test_entry_that_its_fee_would_make_too_small_is_not_sent(
    bots: BotProcesses, exchange: Exchange
) -> None:
    """A tenth of 100.01 at a minimum of 10: what arrives would be worth 9.99."""
    exchange.fund(usdt="100.01")
    exchange.market(min_notional="10", min_amount="0.0000001")
    bot = bots.start(bot_row())
    eventually(lambda: "could not be sold" in str(bot.last.last_error), "it is refused")
    seen = bot.last.ticks
    eventually(lambda: bot.last.ticks > seen + 5, "some ticks")
    assert exchange.orders() == []
    assert "once the price is 2 % lower (minimum" in str(bot.last.last_error)
    assert "10 in worth" in str(bot.last.last_error)
    assert bot.last.guards == [], "nothing was sent, so nothing waits"
    exchange.by_hand(kind="deposit", asset="USDT", amount="3")
    eventually(lambda: bot.last.position["side"] == "BUY", "a tenth of 103.01 is enough")
    bot.signal(signal.SIGTERM)
    assert bot.wait() == 0
    assert len(exchange.executed(side="sell")) == 1
    assert 0 <= exchange.bots_base() < D("0.0000001")
