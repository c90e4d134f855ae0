"""The real program under limits, judged by the exchange's books: entries end, exits never do."""

from __future__ import annotations

import os
import signal
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.bot_process import bot_row
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import Exchange
from support.plugins import Plugins
from support.store_files import ledger_path
from support.verdicts import assert_over, succeeds

from execsvc.clock import from_iso

STEPS = """
def execute(self, ctx):
    price, held = ctx.ticker().price, ctx.position.tracked
    if price >= 50000:
        if held == 0:
            ctx.buy(Decimal("0.02"), "in")
    elif held > Decimal("0.015"):
        ctx.sell(Decimal("0.01"), "half")
    elif price > 48500 or held < Decimal("0.0001"):
        ctx.buy(Decimal("0.01"), "more")
    else:
        ctx.sell(held, "out")
"""
"""In at 50 000; at 49 000 half of it out, and then more in; at 48 000 out, and in again."""


def guards(daemon: Daemon) -> list[str]:
    return [guard["guard"] for guard in daemon.bot().get("guards", ())]


def ticks_on(daemon: Daemon, count: int = 20) -> dict[str, Any]:
    """Wait until the bot has ticked so many times more, in whatever process."""
    seen = daemon.bot()["ticks"]
    eventually(lambda: daemon.bot()["ticks"] >= seen + count, f"{count} more ticks")
    return daemon.bot()


def test_a_bot_over_its_daily_loss_gets_out_but_not_in(
    daemon: Daemon, exchange: Exchange, tmp_path: Path
) -> None:
    plugins = Plugins(tmp_path)
    plugins.add("steps", STEPS)
    limits = {"EXECSVC_DAILY_LOSS_LIMIT": "5", **plugins.environ}
    exchange.list_bots(bot_row(strategy="steps"))
    daemon.start(**limits)
    daemon.until_holding()
    assert guards(daemon) == []
    exchange.market(price="49000")
    eventually(lambda: guards(daemon) == ["daily_loss"], "the loss of the first half is enough")
    bot = ticks_on(daemon)
    assert len(exchange.orders(side="buy")) == 1, "nothing is added"
    assert Decimal(bot["result"]["today"]) <= -5
    assert bot["result"]["today"] == bot["result"]["realised"]
    assert (bot["state"], bot["consecutive_errors"]) == ("RUNNING", 0)
    since = bot["guards"][0]["since"]

    os.kill(bot["pid"], signal.SIGKILL)
    succeeds(daemon, bot["pid"])
    ticks_on(daemon)
    assert guards(daemon) == ["daily_loss"]
    assert len(exchange.orders(side="buy")) == 1, "another process knows of it"

    exchange.market(price="48000")
    eventually(lambda: len(exchange.executed(side="sell")) == 2, "the exit sells")
    ticks_on(daemon)
    exchange.stop_bot()
    assert [g["since"] for g in daemon.until("STOPPED")["guards"]] == [since]
    daemon.signal(signal.SIGUSR2)
    assert daemon.wait() == 0
    exchange.list_bots(bot_row(strategy="steps"))
    daemon.start(**limits)
    daemon.until("RUNNING")
    bot = ticks_on(daemon)
    assert [guard["since"] for guard in bot["guards"]] == [since]
    assert len(exchange.orders(side="buy")) == 1, "another service knows of it"
    assert daemon.log.count("guard daily_loss: no entries") == 1
    log = daemon.command("log", "b1").stdout
    assert "guard_tripped" in log and "realised today reach the limit of 5" in log
    assert daemon.stop() == 0
    assert_over(daemon, exchange)


@pytest.mark.long
@pytest.mark.slow
def test_so_many_entries_a_minute_over_all_processes(daemon: Daemon, exchange: Exchange) -> None:
    row = bot_row(
        interval=0.5, params={"hold_duration": 1, "loop_count": 0, "allocation_ratio": "0.01"}
    )
    exchange.list_bots(row)
    daemon.start(EXECSVC_MAX_ORDERS_PER_MINUTE="2")
    eventually(lambda: guards(daemon) == ["order_rate"], "the third entry is refused", 60)
    pid = daemon.bot()["pid"]
    os.kill(pid, signal.SIGKILL)
    succeeds(daemon, pid)
    ticks_on(daemon)
    assert len(exchange.orders(side="buy")) == 2
    eventually(lambda: len(exchange.orders(side="buy")) == 3, "the minute is over", 100)
    first, _, third = (from_iso(order["received_at"]) for order in exchange.orders(side="buy"))
    assert (third - first).total_seconds() > 59
    assert daemon.stop() == 0
    assert_over(daemon, exchange)


TIGHT = {
    "EXECSVC_MAX_ORDER_NOTIONAL": "1",
    "EXECSVC_MAX_ORDERS_PER_MINUTE": "1",
    "EXECSVC_DAILY_LOSS_LIMIT": "0.01",
    "EXECSVC_MAX_DATA_AGE": "0.001",
}


def break_results(ledger: Path) -> None:
    """Nothing of what guards judge by can be read any more."""
    with closing(sqlite3.connect(ledger)) as damaging:
        damaging.executescript(
            "DROP TABLE guard; DROP TABLE order_result; UPDATE result SET realised='much';"
            "UPDATE cost_basis SET cost='less'"
        )


@pytest.mark.parametrize("damaged", [False, True], ids=["sound", "damaged"])
def test_no_guard_stands_before_a_liquidation(
    daemon: Daemon, exchange: Exchange, damaged: bool
) -> None:
    exchange.list_bots(bot_row())
    daemon.start()
    daemon.until_holding()
    daemon.signal(signal.SIGUSR2)
    assert daemon.wait() == 0
    if damaged:
        break_results(ledger_path(daemon.state_dir, "b1"))
    daemon.start(**TIGHT)
    eventually(lambda: "daily_loss" in guards(daemon), "the fee alone is too much")
    assert (daemon.bot()["result"]["realised"] is None) is damaged
    exchange.stop_bot()
    assert daemon.until("STOPPED")["position"]["side"] is None
    assert len(exchange.orders(side="buy")) == len(exchange.executed(side="sell")) == 1
    assert daemon.stop() == 0
    assert_over(daemon, exchange)
