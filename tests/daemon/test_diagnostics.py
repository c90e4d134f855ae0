"""Reports of a strategy on its ticks, as the real program shows them."""

from __future__ import annotations

from typing import Any

import pytest
from support.bot_process import bot_row
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import Exchange

GRID = {"lower_price": 40_000, "upper_price": 60_000, "grid_count": 20}


def diagnostics(daemon: Daemon, bot_id: str) -> dict[str, Any]:
    """The last report of the bot's strategy; empty before the first."""
    found = daemon.get("/status?diagnostics=1").json()["bots"]
    shown: dict[str, Any] = next(bot for bot in found if bot["bot_id"] == bot_id)["diagnostics"]
    return shown


@pytest.mark.says("strategy_judged")
def test_why_a_bot_makes_no_entry_is_in_status_and_in_the_log(
    daemon: Daemon, exchange: Exchange
) -> None:
    poor = bot_row("poor", strategy="grid_v1", params=GRID, allocation="50")
    exchange.list_bots(bot_row("flow", strategy="orderflow_exhaustion_v1", params={}), poor)
    daemon.start(EXECSVC_LOG_LEVEL="DEBUG")
    eventually(lambda: diagnostics(daemon, "flow").get("missing"), "a condition is not met")
    assert "missing " in daemon.command("status", "--diagnostics").stdout
    assert all("diagnostics" not in bot for bot in daemon.status()["bots"])
    eventually(lambda: daemon.bot("poor").get("ticks", 0) > 2, "the grid has begun")
    exchange.market(price="48900")
    eventually(
        lambda: "refused 2.5 USDT for a level is less than the exchange takes" in daemon.log,
        "the refusal is in the log",
    )
    assert daemon.stop() == 0
