"""Amounts that an exchange refuses: told apart by the real process, judged by the exchange's books."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from support.bot_process import BotProcess, BotProcesses, bot_row
from support.deadline import eventually
from support.exchange import OWN_BTC, Exchange

from execsvc.failpoints import Failpoint
from execsvc.runner.job import Task

D = Decimal
CRUMB = D("0.0001")
"""Worth 5 USDT: less than this is dust."""
DEAD = 99
SHORT_WINDOW = {"EXECSVC_SETTLEMENT_WINDOW": "1", "EXECSVC_STOP_TIMEOUT": "120"}


def tracked(bot: BotProcess) -> Decimal:
    return D(bot.last.position["tracked"] or 0)


def amounts(orders: list[dict[str, Any]]) -> list[str]:
    return [order["amount"] for order in orders]


def refused(exchange: Exchange, side: str | None = None) -> list[str]:
    return amounts([order for order in exchange.orders(side=side) if order["refused"]])


def holding(bots: BotProcesses, **changes: Any) -> BotProcess:
    """A bot that has bought 0.02, of which its fee left 0.01998."""
    bot = bots.start(bot_row(**changes), **SHORT_WINDOW)
    eventually(lambda: tracked(bot) == D("0.01998"), "the buy")
    return bot


def ends_flat(bot: BotProcess, exchange: Exchange) -> None:
    """The bot stops with nothing left that could be sold, and sold nothing of the user's."""
    bot.signal(signal.SIGTERM)
    assert bot.wait(120) == 0
    assert bot.last.end is not None
    assert bot.last.end.kind == "STOPPED"
    books_are_flat(bot, exchange)


def books_are_flat(bot: BotProcess, exchange: Exchange) -> None:
    assert 0 <= exchange.bots_base() < CRUMB
    assert tracked(bot) == exchange.bots_base()
    assert exchange.lowest() >= OWN_BTC


@pytest.mark.says("maximum_learnt")
@pytest.mark.parametrize(
    ("maximum", "refusals", "sold"),
    [
        ("0.015", ["0.01998"], ["0.01", "0.00998"]),
        ("0.005", ["0.01998", "0.01"], ["0.005", "0.005", "0.005", "0.00498"]),
    ],
)
def test_liquidation_above_a_maximum_sells_all_of_it_in_parts(
    bots: BotProcesses, exchange: Exchange, maximum: str, refusals: list[str], sold: list[str]
) -> None:
    bot = holding(bots)
    exchange.market(max_amount=maximum)
    ends_flat(bot, exchange)
    assert refused(exchange) == refusals
    assert amounts(exchange.executed(side="sell")) == sold
    assert tracked(bot) == 0
    ids = [order["client_order_id"] for order in exchange.orders(side="sell")]
    assert len(set(ids)) == len(ids), "each part is an order of its own"


def test_liquidation_above_a_maximum_of_worth_sells_all_of_it_in_parts(
    bots: BotProcesses, exchange: Exchange
) -> None:
    bot = holding(bots)
    exchange.market(max_notional="600")
    ends_flat(bot, exchange)
    assert refused(exchange) == ["0.01998"]
    assert amounts(exchange.executed(side="sell")) == ["0.01", "0.00998"]


def test_exit_of_a_strategy_above_a_maximum_sells_all_of_it_in_one_tick(
    bots: BotProcesses, exchange: Exchange
) -> None:
    bot = holding(bots, params={"hold_duration": 2})
    exchange.market(max_amount="0.005")
    eventually(lambda: bot.last.position["side"] is None, "its strategy has sold it")
    assert amounts(exchange.executed(side="sell")) == ["0.005", "0.005", "0.005", "0.00498"]
    assert bot.last.consecutive_errors == 0
    ends_flat(bot, exchange)


def test_entry_above_a_maximum_buys_the_maximum_and_is_no_dust(
    bots: BotProcesses, exchange: Exchange
) -> None:
    """0.0172 is wanted, and 0.01 may be bought: that teaches no step of two decimals."""
    exchange.market(max_amount="0.01")
    bot = bots.start(bot_row(params={"allocation_ratio": "0.086", "loop_count": 0}))
    eventually(lambda: tracked(bot) == D("0.00999"), "the buy")
    seen = bot.last.ticks
    eventually(lambda: bot.last.ticks > seen + 10, "some ticks")
    assert amounts(exchange.orders()) == ["0.0172", "0.01"], "it holds, and buys no more"
    assert bot.last.position["side"] == "BUY"
    ends_flat(bot, exchange)
    assert amounts(exchange.orders(side="sell")) == ["0.00999"]


def test_learnt_maximum_survives_the_process(bots: BotProcesses, exchange: Exchange) -> None:
    exchange.market(max_amount="0.01")
    trading = bot_row(params={"allocation_ratio": "0.086", "loop_count": 0, "hold_duration": 3600})
    bot = bots.start(trading)
    eventually(lambda: tracked(bot) == D("0.00999"), "the buy")
    bot.signal(signal.SIGKILL)
    bot.wait()
    liquidation = bots.start("b1", Task.LIQUIDATE)
    assert liquidation.wait() == 0
    bot = bots.start(trading)
    eventually(lambda: tracked(bot) > 0, "another buy")
    tried = amounts(exchange.orders(side="buy"))
    assert tried[:2] == ["0.0172", "0.01"]
    assert "0.0172" not in tried[2:], "what was too large is not wanted again"
    assert all(D(amount) <= D("0.01") for amount in amounts(exchange.executed(side="buy")))
    ends_flat(bot, exchange)


@pytest.mark.slow
@pytest.mark.parametrize("words", ["binance_codes", "bybit", "kraken", "kucoin", "okx"])
@pytest.mark.parametrize(
    "market",
    [{"max_amount": "0.015"}, {"decimals": 4}, {"decimals": 3, "max_amount": "0.015"}],
    ids=["maximum", "step", "both"],
)
def test_words_of_other_exchanges_steer_the_next_amount_once_it_is_settled(
    bots: BotProcesses, exchange: Exchange, words: str, market: dict[str, Any]
) -> None:
    bot = holding(bots)
    exchange.market(words=words, **market)
    bot.signal(signal.SIGTERM)
    assert bot.wait(200) == 0, bot.last.last_error
    left = exchange.bots_base()
    assert left < (D("0.001") if market.get("decimals") == 3 else CRUMB)
    assert tracked(bot) == left
    assert exchange.lowest() >= OWN_BTC
    tried = refused(exchange)
    assert len(tried) == len(set(tried)) <= 5, "no amount is sent twice"


@pytest.mark.parametrize("words", ["binance", "okx", "kraken"])
def test_what_is_below_a_minimum_that_is_not_published_is_dust(
    bots: BotProcesses, exchange: Exchange, words: str
) -> None:
    """A remainder of 12 USDT where the exchange wants 15 and says 5."""
    bot = holding(bots)
    exchange.market(words=words)
    exchange.fault("partial", call="order", match={"side": "sell"}, fraction="0.98799")
    exchange.fault("refuse", call="order", match={"side": "sell"}, times=None, detail=said(words))
    bot.signal(signal.SIGTERM)
    assert bot.wait(120) == 0, bot.last.last_error
    assert exchange.bots_base() == D("0.00024")
    # NOTIONAL may mean a maximum as well, so half of it is tried.
    assert len(exchange.orders(side="sell")) == (3 if words == "binance" else 2)


def said(words: str) -> str:
    return {
        "binance": "binance Filter failure: NOTIONAL",
        "okx": 'okx {"sCode":"51020","sMsg":"Your order should meet the minimum."}',
        "kraken": 'kraken {"error":["EOrder:Order minimum not met"]}',
    }[words]


def dies_at(failpoint: Failpoint, number: int) -> Callable[[Failpoint], None]:
    """Ends the process dead at the pass of ``failpoint`` with this number."""
    passed = 0

    def watch(seen: Failpoint) -> None:
        nonlocal passed
        passed += seen is failpoint
        if seen is failpoint and passed == number:
            os._exit(DEAD)

    return watch


@pytest.mark.parametrize("settler", ["b1", "b2"])
def test_words_reach_the_bot_whoever_settles_its_order(
    bots: BotProcesses, exchange: Exchange, settler: str
) -> None:
    """The process that sent it is dead; another bot of the account may settle it."""
    exchange.market(words="bybit")
    dead = bots.start(bot_row(), watcher=dies_at(Failpoint.SETTLING, 2), **SHORT_WINDOW)
    eventually(lambda: tracked(dead) > 0, "the buy")
    exchange.market(decimals=4)
    dead.signal(signal.SIGTERM)
    assert dead.wait() == DEAD
    assert refused(exchange) == ["0.01998"]
    if settler == "b2":
        other = bots.start(bot_row("b2"), **SHORT_WINDOW)
        eventually(lambda: tracked(other) > 0, "the other bot trades, so the order is settled")
        other.signal(signal.SIGTERM)
        assert other.wait() == 0
    bot = bots.start("b1", Task.LIQUIDATE, **SHORT_WINDOW)
    assert bot.wait() == 0
    sold = amounts(exchange.orders(side="sell"))
    assert sold.count("0.01998") == 1, "what was refused is known to the next process"
    assert "0.0199" in sold
    assert exchange.bots_base() < CRUMB * 2
    assert exchange.lowest() >= OWN_BTC


@pytest.mark.parametrize("number", [2, 3, 4, 5])
@pytest.mark.parametrize("failpoint", [Failpoint.BEFORE_SEND, Failpoint.AFTER_SEND])
def test_death_between_parts_leaves_the_rest_to_the_next_process(
    bots: BotProcesses, exchange: Exchange, failpoint: Failpoint, number: int
) -> None:
    bot = bots.start(bot_row(), watcher=dies_at(failpoint, number), **SHORT_WINDOW)
    eventually(lambda: tracked(bot) == D("0.01998"), "the buy")
    exchange.market(max_amount="0.008")
    bot.signal(signal.SIGTERM)
    assert bot.wait() == DEAD
    after = bots.start("b1", Task.LIQUIDATE, **SHORT_WINDOW)
    assert after.wait() == 0
    books_are_flat(after, exchange)
    assert sum(map(D, amounts(exchange.executed(side="sell")))) == D("0.01998")
