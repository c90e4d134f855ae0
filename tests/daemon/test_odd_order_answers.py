"""Answers to orders as real exchanges and adapters give them: every position ends sold, and no other."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from support.bot_process import bot_row
from support.daemon import Daemon
from support.exchange import OWN_BTC, Exchange
from support.verdicts import all_hold, assert_over

D = Decimal
IN_QUOTE = {"amount": 0.002, "filled": 0.002, "remaining": 0, "average": 50000, "cost": 100}
NO_PRICE = {"average": None, "cost": None}
FEES = {
    "alias": {"fees": [{"currency": "XBT", "cost": 0.00002}]},
    "zero": {"fee": None, "fees": [{"currency": "BTC", "cost": 0}]},
}
ANSWERS: dict[str, tuple[str, dict[str, Any]]] = {
    "buy_in_quote": ("buy", IN_QUOTE),
    "sell_in_quote": ("sell", IN_QUOTE),
    "no_price": ("buy", NO_PRICE),
    "alias": ("buy", FEES["alias"]),
    "zero": ("buy", {**FEES["zero"], **NO_PRICE}),
}
"""By account: which side is answered with what."""


def test_daemon_odd_answers_to_orders_strand_and_misread_nothing(
    daemon: Daemon, exchange: Exchange
) -> None:
    for key, (side, members) in ANSWERS.items():
        exchange.fund(key)
        body = {"details": members}
        match = {"key_id": key, "side": side}
        exchange.fault("patch", call="order", match=match, body=body)
    exchange.list_bots(*(bot_row(key, key=key) for key in ANSWERS))
    daemon.start()
    all_hold(daemon, len(ANSWERS))
    for bot in daemon.status()["bots"]:
        assert D(bot["position"]["entry_price"]) == 50000, bot
        assert D(bot["position"]["tracked"]) == exchange.bots_base(bot["key_id"]), bot
    assert daemon.stop() == 0
    for key in ANSWERS:
        assert_over(daemon, exchange, key)
        assert exchange.lowest(key) >= OWN_BTC
        assert [len(exchange.orders(key, side)) for side in ("buy", "sell")] == [1, 1], key
