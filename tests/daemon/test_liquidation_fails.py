"""An exchange that takes no order: tried again and again, and said so, but not too often."""

from __future__ import annotations

import signal

import pytest
from support.bot_process import bot_row
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import Exchange
from support.verdicts import assert_over

NO_SALE = {"call": "order", "match": {"side": "sell"}, "times": None}


def critical(daemon: Daemon) -> list[str]:
    """The lines at the highest level."""
    return [line for line in daemon.log.splitlines() if "CRITICAL" in line]


def more_attempts(exchange: Exchange, count: int) -> None:
    """Wait until so many more sells were refused."""
    seen = len(exchange.orders(side="sell"))
    eventually(lambda: len(exchange.orders(side="sell")) >= seen + count, "more attempts", 60)


@pytest.mark.says("liquidation_attempt_failed", "liquidation_failed", "liquidation_recovered")
def test_it_is_tried_until_it_succeeds_also_across_a_restart(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.list_bots(bot_row())
    daemon.start(EXECSVC_LIQUIDATION_ATTEMPTS="2")
    tracked = daemon.until_holding()["position"]["tracked"]
    exchange.fault("refuse", **NO_SALE)
    exchange.stop_bot()
    daemon.until("LIQUIDATING")
    more_attempts(exchange, 7)
    assert daemon.bot()["state"] == "LIQUIDATING"
    assert daemon.bot()["position"]["tracked"] == tracked
    code, health = daemon.health()
    assert (code, health["status"]) == (200, "degraded")
    assert [reason for reason in health["reasons"] if "b1" in reason and "liquidation" in reason]
    assert len(critical(daemon)) == 1, "one when it begins, the next a minute later"
    daemon.signal(signal.SIGKILL)
    daemon.wait()
    eventually(lambda: not daemon.family(), "every process ends by itself", 60)
    daemon.start(EXECSVC_LIQUIDATION_ATTEMPTS="2")
    more_attempts(exchange, 5)
    assert daemon.health()[1]["status"] == "degraded"
    assert len(critical(daemon)) == 1
    assert exchange.executed(side="sell") == []
    exchange.heal()
    assert daemon.until("STOPPED")["position"]["side"] is None
    eventually(lambda: daemon.health()[1]["status"] == "ok", "healthy")
    assert daemon.stop() == 0
    assert_over(daemon, exchange)


def test_each_attempt_is_as_many_orders_as_the_setting_says(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.list_bots(bot_row())
    daemon.start(EXECSVC_LIQUIDATION_ATTEMPTS="3", EXECSVC_LIQUIDATION_RETRY="600")
    daemon.until_holding()
    exchange.fault("refuse", **NO_SALE)
    exchange.stop_bot()
    daemon.until("LIQUIDATING")
    eventually(lambda: daemon.bot()["pid"] is None, "it waits for the next try")
    assert len(exchange.orders(side="sell")) == 3
    exchange.heal()
    done = daemon.command("release", "b1")
    assert done.returncode == 0, done.stderr
    daemon.until("STOPPED")
    assert len(exchange.orders(side="sell")) == 4
    assert daemon.stop() == 0
    assert_over(daemon, exchange)


def test_liquidation_half_of_each_order_is_filled_one_process_sells_all(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.list_bots(bot_row())
    daemon.start(EXECSVC_LIQUIDATION_ATTEMPTS="1", EXECSVC_LIQUIDATION_RETRY="600")
    daemon.until_holding()
    exchange.fault("partial", fraction="0.5", **NO_SALE)
    exchange.stop_bot()
    daemon.until("STOPPED")
    assert len(exchange.executed(side="sell")) > 5
    assert "liquidation_failed" not in daemon.log
    assert daemon.stop() == 0
    # A rest worth less than min_notional, which is 10 times the smallest amount, is dust.
    assert_over(daemon, exchange, crumbs=10)


def test_a_liquidation_outlives_an_adapter_that_is_away(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(bot_row())
    daemon.start()
    daemon.until_holding()
    for call in ("order", "balance", "ticker"):
        exchange.fault("reset", call=call, times=None)
    exchange.stop_bot()
    daemon.until("LIQUIDATING")
    eventually(lambda: daemon.health()[1]["status"] == "degraded", "it is said")
    exchange.heal()
    daemon.until("STOPPED")
    assert len(exchange.executed(side="sell")) == 1
    assert daemon.stop() == 0
    assert_over(daemon, exchange)
