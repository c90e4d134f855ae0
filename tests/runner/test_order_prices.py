"""An order that names no average price: the position has one all the same."""

from __future__ import annotations

import signal
from decimal import Decimal
from typing import Any

import pytest
from support.bot_process import BotProcess, BotProcesses, bot_row
from support.deadline import eventually
from support.exchange import OWN_BTC, Exchange
from support.stores import store_in

D = Decimal
NONE: dict[str, Any] = {"average": None, "cost": None}
TRADES = [{"amount": 0.015, "price": 50190}, {"amount": 0.005, "price": 50230}]


@pytest.fixture(autouse=True)
def wide(exchange: Exchange) -> None:
    """Bought at 50100 while the ticker says 50000."""
    exchange.market(bids=[["49900", "50"]], asks=[["50100", "50"]])


def entry(bots: BotProcesses, **environ: str) -> BotProcess:
    """A bot that has bought."""
    bot = bots.start(bot_row(), **environ)
    eventually(lambda: bot.last.position["side"] == "BUY", "the buy")
    return bot


def price(bot: BotProcess) -> Decimal:
    return D(bot.last.position["entry_price"])


def sources(bots: BotProcesses) -> list[str]:
    rows = store_in(bots.state_dir).read_log("b1")
    return [row.text.split(" by ")[1] for row in rows if row.event == "order_priced"]


@pytest.mark.says("order_priced")
@pytest.mark.parametrize(
    ("members", "expected", "source"),
    [
        ({"average": None}, "50100", "its cost"),
        ({**NONE, "trades": TRADES}, "50200", "its trades"),
        (NONE, "50100", "the quote balance"),
        ({"average": 0, "cost": 0, "fee": None, "fees": None}, "50100", "the quote balance"),
    ],
    ids=["cost", "trades", "balance", "balance_and_fee"],
)
def test_entry_without_an_average_has_a_price_and_the_log_says_from_where(
    bots: BotProcesses, exchange: Exchange, members: dict[str, Any], expected: str, source: str
) -> None:
    exchange.fault("patch", call="order", body={"details": members})
    bot = entry(bots)
    assert price(bot) == D(expected)
    assert D(bot.last.position["tracked"]) == exchange.bots_base()
    assert sources(bots) == [source]
    bot.signal(signal.SIGTERM)
    assert bot.wait() == 0
    assert exchange.lowest() >= OWN_BTC


@pytest.mark.parametrize(
    ("book", "expected", "source"),
    [(True, "50100", "the book after it"), (False, "50000", "the ticker before it")],
)
def test_entry_whose_balance_never_shows_it_is_priced_by_the_market(
    bots: BotProcesses, exchange: Exchange, book: bool, expected: str, source: str
) -> None:
    exchange.fault("patch", call="order", body={"details": NONE}, lag=120)
    if not book:
        exchange.fault("status", call="depth", times=None)
    bot = entry(bots, EXECSVC_SETTLEMENT_WINDOW="0.5")
    assert price(bot) == D(expected)
    assert sources(bots) == [source]


def test_contested_buy_that_an_operator_decides_has_an_entry_price(
    bots: BotProcesses, exchange: Exchange
) -> None:
    """An order booked as nothing; the position that the operator's decision opens is like any other."""
    exchange.fault("status", call="order", status=500)
    bot = bots.start(bot_row())
    eventually(exchange.orders, "the buy arrives")
    exchange.by_hand(kind="deposit", asset="BTC", amount="0.005")
    eventually(lambda: bot.last.contested == 1, "it is contested")
    exchange.fault("refuse", call="order", times=None)  # the strategy would buy more
    store_in(bots.state_dir).settle("b1", D("0.005"))
    eventually(lambda: bot.last.position["side"] == "BUY", "it is decided")
    assert price(bot) == 50000
    assert bot.last.position["opened_at"] is not None
