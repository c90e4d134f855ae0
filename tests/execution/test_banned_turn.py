"""A ban that begins while a bot is about to take the account's turn."""

from __future__ import annotations

from decimal import Decimal

import pytest
from support.memory_market import NOON, MemoryBot, MemoryExchange
from support.stores import InMemoryPause

from execsvc.clock import SimulatedClock, installed
from execsvc.errors import Banned
from execsvc.model.market import Limits
from execsvc.model.order import Purpose
from execsvc.paper.terms import Terms
from execsvc.sandbox.dialects import Dialect

D = Decimal
HOUR = 3600.0


class BannedForAnHour(InMemoryPause):
    """A ban that the reads of this market, which have no network, do not see."""

    def banned(self) -> float:
        return HOUR


def test_turn_banned_entry_raises_at_once_and_exit_goes_out() -> None:
    clock = SimulatedClock(NOON, 1000.0)
    with installed(clock):
        limits = Limits(min_amount=D("0.00001"))
        terms = Terms(limits=limits, decimals=5)
        balances = {"BTC": D(1), "USDT": D(10_000)}
        exchange = MemoryExchange(clock, D(50_000), terms, limits, Dialect.BINANCE, balances)
        bot = MemoryBot(exchange, pause=BannedForAnHour())
        began = clock.monotonic()
        with pytest.raises(Banned, match="another 3600 s") as banned:
            bot.order(Purpose.ENTRY, D("0.01"))
        assert banned.value.retry_after == HOUR
        assert clock.monotonic() - began < HOUR, "a wait in the turn is a bot that does not tick"
        bot.hold(D("0.01"))
        assert bot.liquidate()
        assert exchange.sent == [D("0.01")]
