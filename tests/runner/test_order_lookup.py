"""An adapter that keeps records of orders is asked, one that does not is not believed."""

from __future__ import annotations

import signal
from decimal import Decimal
from typing import Any

import pytest
from support.bot_process import BotProcess, BotProcesses, bot_row
from support.deadline import eventually
from support.exchange import OWN_BTC, Exchange

UNKNOWN: list[dict[str, Any]] = [
    {"kind": "status", "status": 500, "execute": True, "lag": 60},
    {"kind": "status", "status": 500, "execute": True, "fraction": "0.5", "lag": 60},
    {"kind": "reset", "execute": True, "lag": 60},
    {"kind": "late", "seconds": 1, "status": 500},
]


def tracked(bot: BotProcess) -> Decimal:
    return Decimal(bot.last.position["tracked"] or 0)


def answers(exchange: Exchange, how: str) -> None:
    exchange.call("PUT", "/sandbox/adapter", {"order_lookup": how})


@pytest.mark.parametrize("rule", UNKNOWN, ids=lambda rule: "-".join(map(str, rule.values())))
def test_records_tell_what_balances_do_not_show_yet(
    bots: BotProcesses, exchange: Exchange, rule: dict[str, Any]
) -> None:
    answers(exchange, "answered")
    exchange.fault(call="order", match={"side": "buy"}, **rule)
    bot = bots.start(bot_row())
    eventually(lambda: tracked(bot) > 0, "the bot tracks its buy")
    assert tracked(bot) == exchange.bots_base()
    assert len(exchange.orders()) == 1


def test_an_order_that_a_keeper_of_records_never_heard_of_was_not_executed(
    bots: BotProcesses, exchange: Exchange
) -> None:
    """The user trades by hand meanwhile, which would make balances contested."""
    answers(exchange, "answered")
    exchange.fault("status", call="order", match={"side": "sell"}, status=500, execute=False)
    bot = bots.start(bot_row())
    eventually(lambda: tracked(bot) > 0, "the bot tracks its buy")
    bot.signal(signal.SIGTERM)
    eventually(lambda: exchange.requests_of("lookup") > 0, "it asks")
    exchange.by_hand(kind="deposit", asset="BTC", amount="0.003")
    assert bot.wait() == 0
    assert bot.last.contested == 0
    assert len(exchange.executed(side="sell")) == 1
    assert exchange.bots_base(own=OWN_BTC + Decimal("0.003")) < Decimal("0.00001")


@pytest.mark.says("order_unknown", "order_settled")
@pytest.mark.parametrize("how", ["absent", "refused"])
def test_a_404_or_405_of_an_adapter_without_records_is_not_never_heard_of(
    bots: BotProcesses, exchange: Exchange, how: str
) -> None:
    answers(exchange, how)
    exchange.fault("status", call="order", match={"side": "sell"}, status=500, execute=True)
    bot = bots.start(bot_row())
    eventually(lambda: tracked(bot) > 0, "the bot tracks its buy")
    bot.signal(signal.SIGTERM)
    assert bot.wait() == 0
    assert len(exchange.orders(side="sell")) == 1
    assert exchange.lowest() >= OWN_BTC
    assert exchange.bots_base() < Decimal("0.00001")
