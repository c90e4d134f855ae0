"""Exchanges that refuse sizes and entries in words of their own, by the exchange's own books."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from support.bot_process import bot_row
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import Exchange
from support.verdicts import CRUMB, assert_over

from execsvc.sandbox.dialects import Dialect

D = Decimal
ORDERS_AT_MOST = 12
"""Sells that may be sent until 0.01998 BTC is sold under a maximum of 0.005."""

HELD_BACK = "3 entries in a row"
ENTRIES_AT_MOST = 8
"""Entries within a minute and a half, when the wait between them doubles."""


def sold(exchange: Exchange) -> Decimal:
    return sum((D(order["filled"]) for order in exchange.executed(side="sell")), D(0))


def stops_flat(daemon: Daemon, exchange: Exchange) -> None:
    tracked = D(daemon.until_holding()["position"]["tracked"])
    before = sold(exchange)
    exchange.stop_bot()
    stopped = daemon.until("STOPPED")
    assert stopped["position"]["side"] is None
    left = tracked - (sold(exchange) - before)
    assert 0 <= left < CRUMB, "all of it is sold, and no part is called dust"
    assert daemon.health()[1]["status"] == "ok"


@pytest.mark.parametrize("words", [Dialect.BINANCE, Dialect.OKX])
def test_daemon_position_above_the_maximum_is_sold_in_parts(
    daemon: Daemon, exchange: Exchange, words: Dialect
) -> None:
    exchange.market(words=words.value)
    exchange.list_bots(bot_row())
    daemon.start()
    for maximum in ("0.015", "0.005"):
        daemon.until_holding()
        exchange.market(max_amount=maximum)
        sent = len(exchange.orders(side="sell"))
        stops_flat(daemon, exchange)
        assert len(exchange.orders(side="sell")) - sent <= ORDERS_AT_MOST
        # Learnt sizes are forgotten, also where nothing is held or failed.
        done = daemon.command("release", "b1")
        assert done.returncode == 0, done.stderr
        exchange.market(max_amount=None)
        exchange.list_bots(bot_row())
    daemon.until_holding()
    assert all(D(order["filled"]) > D("0.0199") for order in exchange.executed(side="buy"))
    assert daemon.log.count("is too large for BTC/USDT") >= 2, "learnt twice: the release forgot it"
    assert daemon.stop() == 0
    assert_over(daemon, exchange)


def test_daemon_entries_that_come_to_nothing_are_held_back_and_shown(
    daemon: Daemon, exchange: Exchange
) -> None:
    nothing: dict[str, dict[str, Any]] = {
        "refused": {"kind": "status", "status": 500, "detail": "insufficient balance"},
        "expired": {"kind": "partial", "fraction": "0", "order_status": "expired"},
        "moved": {"kind": "redirect", "status": 307, "detail": "/elsewhere"},
    }
    for key, fault in nothing.items():
        exchange.fund(key)
        exchange.fault(call="order", match={"key_id": key}, times=None, **fault)
    exchange.call("PUT", "/sandbox/accounts/small", {"USDT": "100.01"})
    exchange.market(min_notional="10")
    exchange.list_bots(*(bot_row(key, key=key) for key in [*nothing, "small"]))
    daemon.start()

    def guarded(bot_id: str) -> bool:
        return "entry_backoff" in [guard["guard"] for guard in daemon.bot(bot_id).get("guards", ())]

    for key in nothing:
        eventually(lambda key=key: guarded(key), f"the entries of {key} are held back")
        eventually(lambda key=key: HELD_BACK in (daemon.bot(key)["last_error"] or ""), HELD_BACK)
        assert len(exchange.orders(key)) < ENTRIES_AT_MOST
    why = eventually(lambda: daemon.bot("small")["last_error"], "the small entry is refused")
    assert "could not be sold once the price is 2 % lower" in why
    assert exchange.orders("small") == []
    assert daemon.stop() == 0
