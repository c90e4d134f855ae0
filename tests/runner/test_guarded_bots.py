"""Bots under limits: what is refused reaches no exchange, and ends no bot."""

from __future__ import annotations

import signal
import time
from decimal import Decimal
from typing import Any

import pytest
from support.bot_process import BotProcess, BotProcesses, bot_row
from support.deadline import eventually
from support.exchange import OWN_BTC, Exchange
from support.stores import store_in

from execsvc.strategies.base import NoState, Strategy
from execsvc.strategies.registry import BUILT_IN
from execsvc.strategies.test_trading_v1.strategy import TrialParams

DUST = Decimal("0.00001")


def ticks_on(bot: BotProcess, count: int = 15) -> None:
    """Wait until it has ticked so many times more."""
    seen = bot.last.ticks
    eventually(lambda: bot.last.ticks >= seen + count, f"{count} more ticks")


def guards(bot: BotProcess) -> list[str]:
    return [guard["guard"] for guard in bot.last.guards]


def said(bots: BotProcesses) -> list[str]:
    rows = store_in(bots.state_dir).read_log("b1")
    return [f"{row.event} {row.data['guard']}" for row in rows if "guard_" in row.event]


@pytest.mark.says("guard_tripped", "guard_cleared")
def test_an_entry_too_large_is_refused_and_not_made_smaller(
    bots: BotProcesses, exchange: Exchange
) -> None:
    bot = bots.start(bot_row(), EXECSVC_MAX_ORDER_NOTIONAL="900")
    eventually(lambda: guards(bot) == ["order_notional"], "it is refused")
    ticks_on(bot)
    assert exchange.orders() == []
    assert bot.last.consecutive_errors == 0, "a refusal is no fault of the strategy"
    assert "limit of 900" in str(bot.last.last_error)
    assert said(bots) == ["guard_tripped order_notional"]
    events = [row.event for row in store_in(bots.state_dir).read_log("b1")]
    assert "tick_skipped" not in events
    exchange.by_hand(kind="withdraw", asset="USDT", amount="2000")
    eventually(
        lambda: bot.last.position["side"] == "BUY", "a tenth of what is left is little enough"
    )
    eventually(lambda: guards(bot) == [], "over")
    bot.signal(signal.SIGTERM)
    assert bot.wait() == 0
    assert said(bots) == ["guard_tripped order_notional", "guard_cleared order_notional"]


def test_on_paper_as_well(bots: BotProcesses, exchange: Exchange) -> None:
    bot = bots.start(bot_row(mode="PAPER"), EXECSVC_MAX_ORDER_NOTIONAL="900")
    eventually(lambda: guards(bot) == ["order_notional"], "it is refused")
    ticks_on(bot)
    assert bot.last.position["tracked"] == "0"
    bot.signal(signal.SIGTERM)
    assert bot.wait() == 0
    assert exchange.requests_of("order") == 0


class Blind(Strategy[TrialParams, NoState]):
    """Buys without a look: only the order itself asks for a price."""

    id = "blind"
    Params = TrialParams

    def execute(self, ctx: Any) -> None:
        if ctx.position.side is None:
            ctx.buy(Decimal("0.01"), "blind")


@pytest.mark.parametrize("strategy", ["test_trading_v1", "blind"])
def test_a_price_from_before_a_long_wait_buys_nothing(
    bots: BotProcesses, exchange: Exchange, monkeypatch: pytest.MonkeyPatch, strategy: str
) -> None:
    monkeypatch.setitem(BUILT_IN, "blind", Blind)
    journal = store_in(bots.state_dir).account("k1")
    assert journal.turn.try_acquire()
    bot = bots.start(bot_row(strategy=strategy), EXECSVC_MAX_DATA_AGE="1")
    eventually(lambda: bot.last.turn_wait > 2, "it waits for the account's turn")
    journal.turn.release()
    eventually(lambda: bot.last.position["side"] == "BUY", "it buys at the price of a later tick")
    journal.close()
    assert said(bots) == ["guard_tripped data_age", "guard_cleared data_age"]
    assert guards(bot) == []
    assert len(exchange.orders()) == 1
    assert bot.last.ticks > 1
    bot.signal(signal.SIGTERM)
    assert bot.wait() == 0


class Looker(Blind):
    """Buys on the book."""

    id = "looker"

    def execute(self, ctx: Any) -> None:
        ctx.depth(5)
        super().execute(ctx)


@pytest.mark.parametrize("off", [-60_000, 60_000])
def test_a_book_with_a_stamp_of_another_time_buys_nothing(
    bots: BotProcesses, exchange: Exchange, monkeypatch: pytest.MonkeyPatch, off: int
) -> None:
    monkeypatch.setitem(BUILT_IN, "looker", Looker)
    stamp = int(time.time() * 1000) + off
    exchange.fault("patch", call="depth", times=None, body={"timestamp": stamp})
    bot = bots.start(bot_row(strategy="looker"), EXECSVC_MAX_DATA_AGE="20")
    eventually(lambda: guards(bot) == ["data_age"], "it is refused")
    ticks_on(bot)
    assert exchange.orders() == []
    assert said(bots) == ["guard_tripped data_age"]
    exchange.heal()
    exchange.fault("patch", call="depth", times=None, body={"timestamp": None})
    eventually(lambda: bot.last.position["side"] == "BUY", "a book without a stamp is fresh")


def test_the_result_is_told_with_the_position(bots: BotProcesses, exchange: Exchange) -> None:
    bot = bots.start(bot_row(params={"hold_duration": 1}))
    eventually(lambda: bot.last.position["side"] == "BUY", "the buy")
    exchange.market(price="49000")
    eventually(lambda: exchange.executed(side="sell"), "the sale")
    eventually(lambda: bot.last.position["side"] is None, "told")
    bot.signal(signal.SIGTERM)
    assert bot.wait() == 0
    result = bot.last.result
    assert result is not None
    usdt = Decimal(exchange.account()["balances"]["USDT"]["free"])
    crumbs = exchange.bots_base() * 50000
    assert (result.currency, result.realised) == ("USDT", result.today)
    assert abs(result.realised - (usdt - 10000 + crumbs)) < Decimal("0.001")
    assert exchange.lowest() >= OWN_BTC
