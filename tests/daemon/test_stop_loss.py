"""The real program and the stop loss of a row: sold once, blocked until its user says otherwise."""

from __future__ import annotations

import os
import signal
import time
from decimal import Decimal
from typing import Any

import pytest
from support.bot_process import bot_row
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import Exchange
from support.verdicts import assert_flat, assert_over, listed_again, succeeds

AGAIN = {"loop_count": 0}
"""A bot that would buy again at once."""


def row(stop_loss: Any = 5, **changes: Any) -> dict[str, Any]:
    changes.setdefault("params", AGAIN)
    return bot_row(risk={"stop_loss": stop_loss}, **changes)


def guards(daemon: Daemon) -> list[str]:
    return [guard["guard"] for guard in daemon.bot()["guards"]]


def ticks_on(daemon: Daemon, count: int = 20) -> dict[str, Any]:
    """Wait until the bot has ticked so many times more, in whatever process."""
    seen = daemon.bot()["ticks"]
    eventually(lambda: daemon.bot()["ticks"] >= seen + count, f"{count} more ticks")
    return daemon.bot()


def stopped_out(daemon: Daemon) -> None:
    def is_over() -> bool:
        bot = daemon.bot()
        return bot["position"]["side"] is None and guards(daemon) == ["stop_loss"]

    eventually(is_over, "it is stopped out")


def test_a_stop_loss_outlasts_every_death_and_ends_with_a_stop_and_a_start(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.list_bots(row())
    daemon.start()
    daemon.until_holding()
    exchange.market(price="47000")
    stopped_out(daemon)
    bot = ticks_on(daemon)
    assert bot["state"] == "RUNNING"
    assert "no entry: the stop loss has closed a position" in bot["last_error"]
    assert len(exchange.orders(side="buy")) == len(exchange.orders(side="sell")) == 1
    since = bot["guards"][0]["since"]
    assert 'execsvc_guards_tripped{guard="stop_loss"} 1.0' in daemon.get("/metrics").text
    assert "stop_loss: stop loss 5 %" in daemon.get("/").text
    assert daemon.health()[1]["status"] == "ok", "it does what it is asked to"
    assert daemon.log.count("guard stop_loss: no entries: stop loss 5 %: 46999.99 is 6") == 1

    os.kill(bot["pid"], signal.SIGKILL)
    succeeds(daemon, bot["pid"])
    ticks_on(daemon)
    assert guards(daemon) == ["stop_loss"], "another process knows of it"

    daemon.kill_everything()
    daemon.start()
    daemon.until("RUNNING")
    ticks_on(daemon)
    assert guards(daemon) == ["stop_loss"], "another service knows of it"

    assert daemon.stop() == 0
    daemon.start()
    daemon.until("RUNNING")
    assert [guard["since"] for guard in ticks_on(daemon)["guards"]] == [since]
    assert len(exchange.orders(side="buy")) == 1

    exchange.list_bots()
    assert daemon.until("STOPPED")["guards"] == []
    assert daemon.stop() == 0
    daemon.start()
    exchange.list_bots(row())
    daemon.until_holding()
    assert guards(daemon) == []
    assert len(exchange.orders(side="buy")) == 2
    assert daemon.stop() == 0
    assert_over(daemon, exchange, crumbs=2)


def test_a_stop_while_the_service_is_down_frees_the_next_start(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.list_bots(row())
    daemon.start()
    daemon.until_holding()
    exchange.market(price="47000")
    stopped_out(daemon)
    assert daemon.stop() == 0
    exchange.list_bots()
    daemon.start()
    assert daemon.until("STOPPED")["guards"] == []
    exchange.list_bots(row())
    daemon.until_holding()
    assert guards(daemon) == []
    assert daemon.stop() == 0
    assert_over(daemon, exchange, crumbs=2)


@pytest.mark.parametrize("mode", ["LIVE", "PAPER"])
def test_a_release_lets_it_enter_again(daemon: Daemon, exchange: Exchange, mode: str) -> None:
    exchange.list_bots(row(mode=mode))
    daemon.start()
    daemon.until_holding()
    exchange.market(price="47000")
    stopped_out(daemon)
    released = daemon.command("release", "b1")
    assert released.returncode == 0, released.stderr
    daemon.until_holding()
    assert guards(daemon) == []
    assert "guard_cleared" in daemon.command("log", "b1").stdout
    assert daemon.stop() == 0
    assert_over(daemon, exchange, crumbs=2)


def test_a_stop_loss_that_is_set_while_the_bot_runs_takes_effect_and_sells_nothing_by_itself(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.list_bots(row(None))
    daemon.start()
    before = daemon.until_holding()
    exchange.market(price="47000")
    ticks_on(daemon)
    exchange.list_bots(row(10))
    after = succeeds(daemon, before["pid"])
    assert after["position"] == before["position"]
    ticks_on(daemon)
    assert exchange.orders(side="sell") == []
    exchange.list_bots(row(6))
    stopped_out(daemon)
    assert len(exchange.orders(side="sell")) == 1
    assert daemon.stop() == 0
    assert_over(daemon, exchange)


def test_a_stop_loss_that_is_cleared_while_its_sale_fails_sells_all_the_same(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.list_bots(row())
    daemon.start()
    before = daemon.until_holding()
    exchange.fault("status", call="order", times=None, match={"side": "sell"}, status=400)
    exchange.market(price="47000")
    eventually(lambda: daemon.health()[1]["status"] == "degraded", "the sale fails")
    exchange.market(price="52000")
    exchange.list_bots(row(None))
    succeeds(daemon, before["pid"])
    exchange.heal()
    stopped_out(daemon)
    assert len(exchange.executed(side="sell")) == 1
    eventually(lambda: daemon.health()[1]["status"] == "ok", "the alarm is over")
    ticks_on(daemon)
    assert len(exchange.orders(side="buy")) == 1, "no entry until it is stopped and started"
    assert daemon.stop() == 0
    assert_over(daemon, exchange)


@pytest.mark.long
@pytest.mark.slow
def test_an_interval_of_an_hour_and_a_death_in_between(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(row(interval=3600))
    daemon.start()
    bot = daemon.until_holding()
    os.kill(bot["pid"], signal.SIGKILL)
    succeeds(daemon, bot["pid"])
    assert daemon.bot()["position"]["side"] == "BUY"
    exchange.market(price="47000")
    stopped_out(daemon)
    assert len(exchange.orders(side="sell")) == 1
    assert daemon.stop() == 0
    assert_over(daemon, exchange)


@pytest.mark.says("row_noted")
def test_rows_that_cannot_be_used_and_what_is_said_of_others(
    daemon: Daemon, exchange: Exchange
) -> None:
    rows = [
        bot_row("much", risk={"stop_loss": "much"}),
        bot_row("negative", risk={"stop_loss": -5}),
        bot_row("all", risk={"stop_loss": 100}),
        bot_row("fraction", risk={"stop_loss": "0.05"}, mode="PAPER"),
        bot_row("drawdown", risk={"max_drawdown": 20, "stop_loss": 5}, mode="PAPER"),
        bot_row("cleared", risk={"stop_loss": "", "max_drawdown": None}, mode="PAPER"),
    ]
    exchange.list_bots(*rows)
    daemon.start(EXECSVC_LOG_LEVEL="DEBUG")
    for bot_id in ("fraction", "drawdown", "cleared"):
        daemon.until("RUNNING", bot_id)
    for bot_id, quoted in (("much", '"much"'), ("negative", "-5"), ("all", "100")):
        bot = daemon.bot(bot_id)
        assert bot["state"] == "INVALID"
        assert bot["last_error"] == (
            f"pipeline.risk_management.stop_loss is {quoted}: "
            f"a number of percent from 0 to below 100 is needed"
        )
    listed_again(exchange)
    assert daemon.log.count("its stop loss is 0.05 %: the form's unit is percent") == 1
    assert daemon.log.count("pipeline.risk_management.max_drawdown is not enforced") == 1
    assert daemon.stop() == 0


def test_a_row_that_becomes_invalid_changes_nothing_but_last_error(
    daemon: Daemon, exchange: Exchange
) -> None:
    exchange.list_bots(row())
    daemon.start()
    before = daemon.until_holding()
    exchange.list_bots(row("five"))
    eventually(lambda: "stop_loss" in (daemon.bot()["last_error"] or ""), "it is told")
    assert daemon.bot()["pid"] == before["pid"]
    exchange.market(price="47000")
    eventually(lambda: exchange.orders(side="sell"), "the old stop loss holds")
    assert daemon.stop() == 0
    assert_over(daemon, exchange)


EAGER = {
    "pressure_signals_required": 1,
    "min_total_quote_volume": 0,
    "confirm_absorption_ticks": 1,
    "confirm_timeout_sec": 300,
    "sell_allocation_ratio": 1,
    "time_stop_sec": 3600,
    "soft_stop_loss_pct": 0,
    "soft_take_profit_pct": 0,
    "take_profit_pct": 0.01,
    "stop_loss_pct": 0.1,
    "stop_buffer_pct": 0.05,
}


def short_market(exchange: Exchange, mid: int) -> None:
    """A book around ``mid``, and a taker's buy of just now."""
    exchange.market(
        bids=[[str(mid - 5), "50"]],
        asks=[[str(mid + 5), "50"]],
        trades=[
            {
                "timestamp": int(time.time() * 1000),
                "price": str(mid),
                "amount": "1",
                "side": "buy",
            }
        ],
    )


@pytest.mark.slow
def test_a_short_is_bought_back_above_its_stop_loss(daemon: Daemon, exchange: Exchange) -> None:
    short_market(exchange, 50_000)
    made = row(2, strategy="orderflow_exhaustion_v1")
    made["pipeline"]["strategy"]["params"] = EAGER
    exchange.list_bots(made)
    daemon.start()

    def is_short() -> bool:
        short_market(exchange, 50_000)
        return bool(daemon.bot()["position"]["side"] == "SELL")

    daemon.until("RUNNING")
    eventually(is_short, "a SELL entry")
    short_market(exchange, 50_900)
    ticks_on(daemon, 5)
    assert daemon.bot()["position"]["side"] == "SELL", "not yet 2 % above"
    short_market(exchange, 51_100)
    stopped_out(daemon)
    (back,) = exchange.executed(side="buy")
    assert Decimal(back["filled"]) == Decimal(1)
    log = daemon.command("log", "b1").stdout
    assert "above the entry price of" in log
    assert daemon.stop() == 0


def test_the_alert_of_a_stop_loss_names_the_bot(daemon: Daemon, exchange: Exchange) -> None:
    exchange.list_bots(row())
    daemon.start()
    daemon.until_holding()
    exchange.market(price="47000")
    stopped_out(daemon)
    conditions = 'execsvc_conditions{kind="stop_loss"} 1.0'
    eventually(lambda: conditions in daemon.get("/metrics").text, "what alerts are made of")
    exchange.stop_bot()
    daemon.until("STOPPED")
    eventually(lambda: conditions not in daemon.get("/metrics").text, "over")
    assert daemon.stop() == 0
    assert_flat(exchange)
