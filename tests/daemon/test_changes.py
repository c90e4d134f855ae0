"""Rows that change while their bot runs, stops, or is given up."""

from __future__ import annotations

from typing import Any

import pytest
from support.bot_process import bot_row
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import OWN_BTC, Exchange
from support.verdicts import assert_flat, assert_over, listed_again, succeeds


@pytest.mark.parametrize(
    "change",
    [{"params": {"hold_duration": 7200}}, {"allocation": "900"}, {"interval": 0.2}],
    ids=["params", "allocation", "interval"],
)
def test_a_change_of_what_it_does_keeps_the_position(
    daemon: Daemon, exchange: Exchange, change: dict[str, Any]
) -> None:
    exchange.list_bots(bot_row())
    daemon.start()
    before = daemon.until_holding()
    exchange.list_bots(bot_row(**change))
    after = succeeds(daemon, before["pid"])
    assert after["position"] == before["position"]
    assert after["restarts"] == 0
    assert len(exchange.orders()) == 1
    assert daemon.stop() == 0
    assert_over(daemon, exchange)


def test_a_name_is_only_shown(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(bot_row())
    daemon.start()
    before = daemon.until_holding()
    exchange.change_bot("b1", name="Möwe 2")
    eventually(lambda: daemon.bot()["name"] == "Möwe 2", "the name is shown")
    listed_again(exchange)
    assert daemon.bot()["pid"] == before["pid"]
    assert daemon.stop() == 0


@pytest.mark.parametrize(
    "change",
    [{"symbol": "ETH/USDT"}, {"key": "k2"}, {"mode": "PAPER"}, {"strategy": "test_trading"}],
    ids=["symbol", "key", "mode", "strategy"],
)
def test_a_change_of_place_closes_the_position_first(
    daemon: Daemon, exchange: Exchange, change: dict[str, Any]
) -> None:
    exchange.fund("k2")
    exchange.list_bots(bot_row())
    daemon.start()
    before = daemon.until_holding()
    exchange.list_bots(bot_row(**change))
    after = succeeds(daemon, before["pid"])
    assert [order["side"] for order in exchange.executed()][:2] == ["buy", "sell"]
    daemon.until_holding()
    shown = {name: after[name] for name in ("symbol", "key_id", "mode", "strategy")}
    wanted = {"key" if k == "key_id" else k: v for k, v in shown.items()}
    assert wanted == {
        "symbol": "BTC/USDT",
        "key": "k1",
        "mode": "LIVE",
        "strategy": "test_trading_v1",
        **change,
    }
    if "mode" in change:
        assert len(exchange.orders()) == 2, "a paper bot sends no order"
    assert daemon.stop() == 0
    assert_over(daemon, exchange)
    assert_flat(exchange, "k2")


def test_a_paper_position_is_closed_on_paper(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(bot_row(mode="PAPER"))
    daemon.start()
    before = daemon.until_holding()
    assert exchange.requests_of("order") == 0
    exchange.list_bots(bot_row())
    succeeds(daemon, before["pid"])
    live = daemon.until_holding()
    assert live["mode"] == "LIVE"
    assert [order["side"] for order in exchange.orders()] == ["buy"]
    assert daemon.stop() == 0
    assert_over(daemon, exchange)


def test_two_changes_one_after_the_other_come_to_the_last(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.fund("k2")
    exchange.list_bots(bot_row())
    daemon.start()
    daemon.until_holding()
    for change in ({"interval": 0.2}, {"key": "k2"}, {"interval": 0.3}, {"params": {}}):
        exchange.list_bots(bot_row(**change))
        listed_again(exchange, 1)
    exchange.list_bots(bot_row(key="k2", params={"hold_duration": 500}))

    def settled() -> bool:
        bot = daemon.bot()
        return (bot["state"], bot["key_id"], bot["position"]["side"]) == ("RUNNING", "k2", "BUY")

    eventually(settled, "it holds where the last row says")
    assert_flat(exchange, "k1")
    assert len(daemon.status()["bots"]) == 1
    assert daemon.stop() == 0
    assert_over(daemon, exchange, "k2")


def test_a_change_and_its_return_leave_the_runner_or_its_position(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.list_bots(bot_row())
    daemon.start()
    before = daemon.until_holding()["position"]
    for _ in range(4):
        exchange.list_bots(bot_row(interval=0.2))
        listed_again(exchange, 1)
        exchange.list_bots(bot_row())
        listed_again(exchange, 1)
    listed_again(exchange)
    assert daemon.until_holding()["position"] == before
    assert len(exchange.orders()) == 1
    assert daemon.stop() == 0
    assert_over(daemon, exchange)


@pytest.mark.parametrize("state", ["STOPPING", "LIQUIDATING"])
def test_a_bot_listed_again_before_it_is_flat_starts_when_it_is(
    daemon: Daemon, exchange: Exchange, state: str
) -> None:
    exchange.list_bots(bot_row())
    attempts = "1" if state == "LIQUIDATING" else "50"
    daemon.start(EXECSVC_LIQUIDATION_ATTEMPTS=attempts, EXECSVC_LIQUIDATION_RETRY="1")
    before = daemon.until_holding()["pid"]
    exchange.fault("refuse", call="order", match={"side": "sell"}, times=None)
    exchange.stop_bot()
    daemon.until(state)
    exchange.list_bots(bot_row())
    listed_again(exchange)
    assert daemon.bot()["state"] in (state, "LIQUIDATING")
    assert len(exchange.executed()) == 1
    exchange.heal()
    succeeds(daemon, before)
    daemon.until_holding()
    assert [order["side"] for order in exchange.executed()] == ["buy", "sell", "buy"]
    assert daemon.stop() == 0
    assert_over(daemon, exchange)


@pytest.mark.usefixtures("listing_only")
def test_a_refused_bot_fails_without_a_restart_until_its_row_changes(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.list_bots(
        bot_row("b1", strategy="unheard_of"), bot_row("b2", params={"loop_count": -1})
    )
    daemon.start()
    for bot_id, named in (("b1", "unheard_of"), ("b2", "loop_count")):
        bot = daemon.until("FAILED", bot_id)
        assert named in bot["last_error"]
        assert bot["restarts"] == 0
    reasons = daemon.health()[1]["reasons"]
    assert [name for name in ("b1", "b2") if any(name in reason for reason in reasons)] == [
        "b1",
        "b2",
    ]
    listed_again(exchange)
    assert daemon.log.count("started, pid") == 2
    exchange.list_bots(bot_row("b1"), bot_row("b2", params={"loop_count": 2}))
    daemon.until_holding("b1")
    daemon.until_holding("b2")
    eventually(lambda: daemon.health()[1]["status"] == "ok", "healthy")
    assert daemon.stop() == 0
    assert_over(daemon, exchange, crumbs=2)


@pytest.mark.usefixtures("listing_only")
def test_a_failed_bot_that_comes_back_to_the_listing_is_tried_again(
    daemon: Daemon, exchange: Exchange
) -> None:
    row = bot_row(strategy="unheard_of")
    exchange.list_bots(row)
    daemon.start()
    daemon.until("FAILED")
    exchange.list_bots()
    daemon.until("STOPPED")
    exchange.list_bots(row)
    daemon.until("FAILED")
    assert daemon.log.count("started, pid") == 2
    assert exchange.bots_base(own=OWN_BTC) == 0
    assert daemon.stop() == 0
