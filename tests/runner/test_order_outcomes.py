"""Every way an order can end, judged by the exchange's own books."""

from __future__ import annotations

import signal
from decimal import Decimal
from typing import Any

import pytest
from support.bot_process import BotProcess, BotProcesses, bot_row
from support.deadline import eventually
from support.exchange import OWN_BTC, Exchange

DUST = Decimal("0.00001")

EXECUTED_BUT_UNSAID: list[dict[str, Any]] = [
    {"kind": "status", "status": 500, "execute": True, "detail": "RequestTimeout"},
    {"kind": "status", "status": 502, "execute": True},
    {"kind": "status", "status": 408, "execute": True},
    {"kind": "status", "status": 425, "execute": True},
    {"kind": "reset", "execute": True},
    {"kind": "close", "execute": True},
    {"kind": "hang", "execute": True},
    {"kind": "garbage"},
    {"kind": "lie"},
    {"kind": "drip", "execute": True},
    {"kind": "null_filled"},
    {"kind": "no_details"},
    {"kind": "open", "fraction": "1"},
    {"kind": "redirect", "execute": True, "detail": "/elsewhere"},
    {"kind": "late", "seconds": 1.0, "status": 500},
    {"kind": "status", "status": 500, "execute": True, "lag": 1.0},
]
NOT_EXECUTED: list[dict[str, Any]] = [
    {"kind": "refuse"},
    {"kind": "status", "status": 400},
    {"kind": "status", "status": 404},
    {"kind": "status", "status": 500, "detail": "binance InvalidOrder"},
    {"kind": "status", "status": 500, "detail": "something went wrong"},
    {"kind": "reset"},
    {"kind": "hang"},
    {"kind": "redirect", "detail": "/elsewhere"},
]


def named(rule: dict[str, Any]) -> str:
    return "-".join(str(value) for value in rule.values())


def tracked(bot: BotProcess) -> Decimal:
    return Decimal(bot.last.position["tracked"] or 0)


def stopped_flat(bot: BotProcess, exchange: Exchange) -> None:
    """The bot ends flat, and no coin of others was ever touched."""
    bot.signal(signal.SIGTERM)
    assert bot.wait() == 0
    assert bot.last.end is not None
    assert bot.last.end.kind == "STOPPED"
    assert 0 <= exchange.bots_base() < DUST
    assert exchange.lowest() >= OWN_BTC
    assert tracked(bot) == exchange.bots_base()


@pytest.mark.parametrize("rule", EXECUTED_BUT_UNSAID, ids=named)
def test_a_buy_that_executed_unsaid_is_found(
    bots: BotProcesses, exchange: Exchange, rule: dict[str, Any]
) -> None:
    exchange.fault(call="order", **rule)
    bot = bots.start(bot_row())
    eventually(lambda: tracked(bot) > 0, "the bot tracks its buy")
    assert tracked(bot) == exchange.bots_base()
    stopped_flat(bot, exchange)
    assert len(exchange.executed(side="buy")) == 1
    assert len(exchange.executed(side="sell")) == 1


@pytest.mark.parametrize("rule", EXECUTED_BUT_UNSAID, ids=named)
def test_a_liquidation_that_executed_unsaid_is_not_repeated(
    bots: BotProcesses, exchange: Exchange, rule: dict[str, Any]
) -> None:
    exchange.fault(call="order", match={"side": "sell"}, **rule)
    bot = bots.start(bot_row())
    eventually(lambda: tracked(bot) > 0, "the bot tracks its buy")
    stopped_flat(bot, exchange)
    assert len(exchange.orders(side="sell")) == 1


@pytest.mark.parametrize("rule", NOT_EXECUTED, ids=named)
def test_a_buy_that_did_not_execute_tracks_nothing_and_may_be_tried_again(
    bots: BotProcesses, exchange: Exchange, rule: dict[str, Any]
) -> None:
    exchange.fault(call="order", match={"side": "buy"}, **rule)
    bot = bots.start(bot_row())
    eventually(lambda: tracked(bot) > 0, "the second buy")
    assert tracked(bot) == exchange.bots_base()
    assert len(exchange.executed(side="buy")) == 1
    stopped_flat(bot, exchange)


@pytest.mark.parametrize("rule", NOT_EXECUTED, ids=named)
def test_a_liquidation_that_did_not_execute_is_tried_again(
    bots: BotProcesses, exchange: Exchange, rule: dict[str, Any]
) -> None:
    exchange.fault(call="order", match={"side": "sell"}, **rule)
    bot = bots.start(bot_row())
    eventually(lambda: tracked(bot) > 0, "the bot tracks its buy")
    stopped_flat(bot, exchange)
    assert len(exchange.executed(side="sell")) == 1


@pytest.mark.parametrize("status", ["canceled", "open"])
def test_a_liquidation_that_is_half_filled_is_finished(
    bots: BotProcesses, exchange: Exchange, status: str
) -> None:
    kind = "partial" if status == "canceled" else "open"
    exchange.fault(kind, call="order", match={"side": "sell"}, fraction="0.5")
    bot = bots.start(bot_row())
    eventually(lambda: tracked(bot) > 0, "the bot tracks its buy")
    stopped_flat(bot, exchange)
    assert len(exchange.executed(side="sell")) == 2


@pytest.mark.parametrize("lag", [0.0, 1.0])
def test_a_buy_without_a_reported_fee_tracks_what_arrived(
    bots: BotProcesses, exchange: Exchange, lag: float
) -> None:
    exchange.fault("no_fee", call="order", lag=lag)
    bot = bots.start(bot_row())
    eventually(lambda: tracked(bot) > 0, "the bot tracks its buy")
    bought = Decimal(exchange.executed(side="buy")[0]["filled"])
    assert tracked(bot) == exchange.bots_base() == bought * Decimal("0.999")
    stopped_flat(bot, exchange)


def test_a_balance_that_lags_is_waited_for(bots: BotProcesses, exchange: Exchange) -> None:
    """A liquidation that follows a buy at once must not take the old balance for the truth."""
    exchange.fault("lag", call="order", match={"side": "buy"}, seconds=1.5)
    bot = bots.start(bot_row())
    eventually(lambda: tracked(bot) > 0, "the bot tracks its buy")
    stopped_flat(bot, exchange)
    assert len(exchange.orders(side="sell")) == 1


@pytest.mark.says(
    "order_intent",
    "order_filled",
    "order_refused",
    "step_learnt",
    "position_dust",
    "bot_started",
    "bot_stopping",
    "bot_flat",
)
def test_fewer_decimals_are_learnt_from_refusals(bots: BotProcesses, exchange: Exchange) -> None:
    exchange.market(min_amount=None, min_notional=None, decimals=3)
    bot = bots.start(bot_row())
    eventually(lambda: tracked(bot) > 0, "the bot tracks its buy")
    bot.signal(signal.SIGTERM)
    assert bot.wait() == 0
    assert exchange.lowest() >= OWN_BTC
    assert 0 <= exchange.bots_base() < Decimal("0.001")
    refused = [order for order in exchange.orders() if order["refused"]]
    assert [order["amount"] for order in refused] == [
        "0.01998",  # too fine or too large: 0.01 is taken
        "0.00998",  # less than what was taken, so it is too fine
        "0.0099",
        "0.00098",  # the rest is no dust before it was refused itself,
        "0.0005",  # and less than half of it, which a maximum would take
    ]


def test_coins_that_no_bot_bought_are_never_sold(bots: BotProcesses, exchange: Exchange) -> None:
    bot = bots.start(bot_row(params={"allocation_ratio": "0.00001"}))
    eventually(lambda: bot.last.ticks > 2, "some ticks")
    bot.signal(signal.SIGTERM)
    assert bot.wait() == 0
    assert exchange.orders() == []


def test_paper_never_orders(bots: BotProcesses, exchange: Exchange) -> None:
    bot = bots.start(bot_row(mode="paper", params={"loop_count": 0, "hold_duration": 1}))
    eventually(lambda: tracked(bot) > 0, "a buy on paper")
    eventually(lambda: tracked(bot) < DUST, "a sell on paper")
    eventually(lambda: tracked(bot) > DUST, "another buy on paper")
    bot.signal(signal.SIGTERM)
    assert bot.wait() == 0
    assert tracked(bot) < DUST
    assert exchange.requests_of("order") == 0
