"""Final answers to an order that cannot be true: the balance decides."""

from __future__ import annotations

import os
import signal
from decimal import Decimal
from typing import Any

import pytest
from support.bot_process import BotProcess, BotProcesses, bot_row
from support.deadline import eventually
from support.exchange import Exchange
from support.stores import store_in

from execsvc.failpoints import Failpoint
from execsvc.runner.job import Task

D = Decimal
USERS = D(20_000)
"""Coins of the user, who has twice as many as the bot buys."""
BOUGHT, TRACKED = D(10_000), D(9_990)
DEAD = 9
IN_QUOTE = {"amount": 999, "filled": 999, "remaining": 0, "average": 0.1, "cost": 99.9}
"""The adapter has counted quote: that is a tenth of the order."""
NOTHING = {"filled": 0, "remaining": 10000, "average": None, "cost": 0}
ROUNDED = {"amount": 9950, "filled": 9950, "remaining": 0, "average": 0.1, "cost": 995}


@pytest.fixture(autouse=True)
def cheap(exchange: Exchange) -> None:
    """A coin of 0.1 USDT, of which the bot buys ten thousand."""
    exchange.fund(btc=USERS)
    exchange.market(price="0.1", min_amount="1")


def tracked(bot: BotProcess) -> Decimal:
    return D(bot.last.position["tracked"] or 0)


def bought(bots: BotProcesses) -> BotProcess:
    bot = bots.start(bot_row())
    eventually(lambda: tracked(bot) > 0, "the buy")
    return bot


def ends_flat(bot: BotProcess, exchange: Exchange) -> None:
    """All that it bought is sold, and nothing else."""
    bot.signal(signal.SIGTERM)
    assert bot.wait() == 0, bot.last.last_error
    assert 0 <= exchange.bots_base(own=USERS) < 1
    assert exchange.lowest() >= USERS
    assert bot.last.contested == 0


def answers(exchange: Exchange, side: str, members: dict[str, Any], **rule: Any) -> None:
    """The next order on ``side`` is answered with other ``members``."""
    exchange.fault("patch", call="order", match={"side": side}, body={"details": members}, **rule)


@pytest.mark.parametrize("members", [IN_QUOTE, NOTHING], ids=["in_quote", "nothing"])
def test_buy_that_is_said_to_be_less_than_it_was_is_tracked_and_sold_whole(
    bots: BotProcesses, exchange: Exchange, members: dict[str, Any]
) -> None:
    answers(exchange, "buy", members)
    bot = bought(bots)
    assert tracked(bot) == exchange.bots_base(own=USERS) == TRACKED
    ends_flat(bot, exchange)
    assert [len(exchange.orders(side=side)) for side in ("buy", "sell")] == [1, 1]
    said = [
        row.text for row in store_in(bots.state_dir).read_log("b1") if row.event == "order_unknown"
    ]
    assert len(said) == 1
    assert "details contradict themselves" in said[0]


@pytest.mark.parametrize("members", [IN_QUOTE, NOTHING], ids=["in_quote", "nothing"])
def test_sell_that_is_said_to_be_less_than_it_was_sells_no_coin_of_the_user(
    bots: BotProcesses, exchange: Exchange, members: dict[str, Any]
) -> None:
    answers(exchange, "sell", members)
    ends_flat(bought(bots), exchange)
    assert len(exchange.orders(side="sell")) == 1


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_closed_order_of_which_half_was_filled_is_booked_as_half(
    bots: BotProcesses, exchange: Exchange, side: str
) -> None:
    half = {"fraction": "0.5", "order_status": "closed"}
    exchange.fault("partial", call="order", match={"side": side}, **half)
    bot = bought(bots)
    assert tracked(bot) == exchange.bots_base(own=USERS)
    ends_flat(bot, exchange)
    assert len(exchange.executed(side="sell")) == (2 if side == "sell" else 1)


def test_closed_order_of_which_nothing_was_filled_is_tried_again(
    bots: BotProcesses, exchange: Exchange
) -> None:
    exchange.fault("partial", call="order", fraction="0", order_status="closed")
    bot = bought(bots)
    assert tracked(bot) == TRACKED
    ends_flat(bot, exchange)
    assert len(exchange.executed(side="buy")) == 1


@pytest.mark.parametrize("side", ["buy", "sell"])
@pytest.mark.parametrize("fraction", ["0.995", None], ids=["rounded", "said_to_be_rounded"])
def test_order_whose_amount_the_adapter_has_rounded_is_booked_by_what_moved(
    bots: BotProcesses, exchange: Exchange, side: str, fraction: str | None
) -> None:
    part = {} if fraction is None else {"fraction": fraction}
    rounded = ROUNDED
    if side == "sell":
        sold = 9940 if fraction is None else 9940.05
        rounded = {"amount": sold, "filled": sold, "average": 0.1, "cost": sold / 10}
    exchange.market(decimals=2, min_notional="1")
    answers(exchange, side, rounded, order_status="closed", **part)
    bot = bought(bots)
    assert tracked(bot) == exchange.bots_base(own=USERS)
    ends_flat(bot, exchange)


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_order_that_contradicts_itself_is_settled_by_the_process_after_a_dead_one(
    bots: BotProcesses, exchange: Exchange, side: str
) -> None:
    answers(exchange, side, IN_QUOTE)
    sold = 0

    def dies(failpoint: Failpoint) -> None:
        nonlocal sold
        sold += failpoint is Failpoint.BEFORE_SEND
        if failpoint is Failpoint.SETTLING and sold == (1 if side == "buy" else 2):
            os._exit(DEAD)

    dead = bots.start(bot_row(), watcher=dies)
    if side == "sell":
        eventually(lambda: tracked(dead) > 0, "the buy")
        dead.signal(signal.SIGTERM)
    assert dead.wait() == DEAD
    after = bots.start("b1", Task.LIQUIDATE)
    assert after.wait() == 0
    assert 0 <= exchange.bots_base(own=USERS) < 1
    assert exchange.lowest() >= USERS
    assert len(exchange.orders(side="sell")) == 1
