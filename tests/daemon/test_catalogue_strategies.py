"""``rsi_basic`` and ``grid_v1`` in the real program, judged by the exchange's books."""

from __future__ import annotations

import os
import signal
from decimal import Decimal
from typing import Any

import pytest
from support.bot_process import bot_row
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import Exchange
from support.store_files import strategy_state
from support.verdicts import assert_flat, assert_over, succeeds

D = Decimal
RSI = {"period": 2, "candle_sec": 1}
GRID = {"lower_price": 40_000, "upper_price": 60_000, "grid_count": 40}
ALLOCATION = D(2000)
LOWEST, HIGHEST = D(41_000), D(59_000)
STEP = 150


def state_of(daemon: Daemon, bot_id: str) -> dict[str, Any]:
    """The state that the bot's strategy has kept; empty before it kept any."""
    return strategy_state(daemon.state_dir, bot_id)


class Swing:
    """A price that falls until the RSI bot sees an oversold market, and rises until an overbought one.

    It moves a step with each look at what a test waits for, however long such a look takes.
    """

    def __init__(self, daemon: Daemon, exchange: Exchange) -> None:
        self._daemon = daemon
        self._exchange = exchange
        self._price = D(50_000)
        self._by = -STEP

    def moves(self) -> None:
        """Change the price by a step."""
        rsi = D((state_of(self._daemon, "rsi").get("candles") or {}).get("rsi") or 50)
        if rsi < 30 or self._price <= LOWEST:
            self._by = STEP
        elif rsi > 70 or self._price >= HIGHEST:
            self._by = -STEP
        self._price += self._by
        self._exchange.market(price=str(self._price))


def parts(daemon: Daemon) -> dict[str, str] | None:
    """The quantity of each level of the grid; None while the ledger says that it is something else."""
    state, position = state_of(daemon, "grid"), daemon.bot("grid")["position"]
    held: dict[str, str] = state.get("held", {})
    known = sum((D(quantity) for quantity in held.values()), D(0))
    sound = state.get("order") is None and known <= D(position["tracked"]) < known + D("0.001")
    return held if sound else None


def shared_out(daemon: Daemon) -> dict[str, str]:
    """The quantity of each level, once the last price was acted on; empty when all of it is sold."""
    seen = daemon.bot("grid")["ticks"]  # which may be two seconds old
    eventually(lambda: daemon.bot("grid")["ticks"] >= seen + 30, "the last price was acted on")
    eventually(lambda: parts(daemon) is not None, "all that the grid holds is shared out")
    return parts(daemon) or {}


@pytest.mark.usefixtures("listing_only")
def test_both_trade_survive_a_kill_and_end_flat(daemon: Daemon, exchange: Exchange) -> None:
    exchange.fund("k2")
    given = {"allocation": str(ALLOCATION)}
    exchange.list_bots(
        bot_row("rsi", key="k1", strategy="rsi_basic", params=RSI, **given),
        bot_row("grid", key="k2", strategy="grid_v1", params=GRID, **given),
        bot_row("none", key="k2", strategy="grid_v2"),
    )
    daemon.start()
    for bot_id in ("rsi", "grid"):
        daemon.until("RUNNING", bot_id)
    assert "known are grid_v1, " in daemon.until("FAILED", "none")["last_error"]
    swing = Swing(daemon, exchange)

    def trades(**least: int) -> bool:
        """True once so many orders were executed: ``k1_buy``, ``k1_sell``, ``k2_buy``, ``k2_sell``."""
        swing.moves()
        return all(
            len(exchange.executed(*which.split("_"))) >= count for which, count in least.items()
        )

    eventually(lambda: trades(k1_buy=1, k2_buy=2), "both have bought")
    # The price may have risen since, and what the grid bought may be sold again.
    while not (held := shared_out(daemon)):
        eventually(lambda: trades(k2_buy=len(exchange.executed("k2", "buy")) + 1), "it buys again")
    pid = daemon.bot("grid")["pid"]
    os.kill(pid, signal.SIGKILL)
    succeeds(daemon, pid, "grid")
    assert eventually(lambda: parts(daemon), "the next process knows its parts") == held
    eventually(lambda: trades(k1_sell=1, k2_sell=2), "both have sold")
    eventually(lambda: trades(k1_buy=2, k2_buy=4), "both have bought again")
    # The price goes on between what an order is decided by and its fill; a doubled order is more.
    for order in exchange.executed("k1", "buy"):
        assert D(order["filled"]) * LOWEST <= ALLOCATION
    assert exchange.lowest("k2", "USDT") >= 10_000 - ALLOCATION * HIGHEST / LOWEST
    assert daemon.stop() == 0
    assert_flat(exchange, "k2")
    assert_over(daemon, exchange, "k1")
