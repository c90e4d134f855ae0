"""Stamps of another time in the market of a real process: none of them blinds the strategy."""

from __future__ import annotations

import json
import signal
import sqlite3
import time
from contextlib import closing
from typing import Any

import pytest
from support.bot_process import BotProcess, BotProcesses, bot_row
from support.deadline import eventually
from support.exchange import Exchange
from support.store_files import ledger_path
from support.stores import store_in

from execsvc.strategies.registry import BUILT_IN
from execsvc.strategies.test_trading_v1.strategy import TrialTrading

ORDERFLOW = "orderflow_exhaustion_v1"
WITHIN = 90.0
DAY_MS = 24 * 3600 * 1000


class TradesReader(TrialTrading):
    """As its base, but for a look at the trades in each tick."""

    id = "trades_reader"

    def execute(self, ctx: Any) -> None:
        ctx.trades(20)
        super().execute(ctx)


def now_ms() -> int:
    return int(time.time() * 1000)


class Kept:
    """The exchange's time in the strategy's state, as the ledger has it."""

    def __init__(self, bots: BotProcesses) -> None:
        self._bots = bots

    def state(self) -> dict[str, Any]:
        """Empty before the first tick has ended."""
        path = ledger_path(self._bots.state_dir, "b1")
        with closing(sqlite3.connect(path, timeout=60)) as connection:
            found = connection.execute("SELECT state FROM strategy_state").fetchone()
        kept: dict[str, Any] = json.loads(found[0]) if found else {}
        return kept

    def change_time(self, stamp: int) -> None:
        state = self.state()
        state["memory"]["exchange_time"] = state["memory"]["newest_trade"] = stamp
        path = ledger_path(self._bots.state_dir, "b1")
        with closing(sqlite3.connect(path, timeout=60)) as connection, connection:
            connection.execute("UPDATE strategy_state SET state=?", (json.dumps(state),))

    def is_true(self) -> bool:
        time = self.state().get("memory", {}).get("exchange_time")
        return time is not None and abs(time - now_ms()) < DAY_MS / 2


def ticks_on(bot: BotProcess) -> None:
    seen = bot.last.ticks
    eventually(lambda: bot.last.ticks > seen + 3, "some ticks", WITHIN)


def test_exchange_time_absurd_stamps_and_a_restart_stays_true(
    bots: BotProcesses, exchange: Exchange
) -> None:
    def says() -> int:
        return len(
            [row for row in store_in(bots.state_dir).read_log("b1") if "not believed" in row.text]
        )

    row = bot_row(strategy=ORDERFLOW)
    row["pipeline"]["strategy"]["params"] = {}
    exchange.market(price=None)
    exchange.fault("patch", call="depth", times=1, body={"timestamp": now_ms() * 1000})
    bot = bots.start(row)
    kept = Kept(bots)
    eventually(lambda: bot.last.ticks > 3 and kept.is_true(), "microseconds are understood", WITHIN)
    assert says() == 0
    exchange.fault("patch", call="depth", times=1, body={"timestamp": now_ms() + DAY_MS})
    eventually(says, "a day ahead is not believed, which is said", WITHIN)
    ticks_on(bot)
    assert kept.is_true()
    bot.signal(signal.SIGKILL)
    bot.wait()
    kept.change_time(now_ms() * 1000)
    bot = bots.start(row)
    eventually(kept.is_true, "what an older service has kept is dropped", WITHIN)
    assert bot.last.consecutive_errors == 0
    assert says() == 1


def test_data_age_trades_stamped_ahead_of_our_clock_buys_nothing(
    bots: BotProcesses, exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(BUILT_IN, "trades_reader", TradesReader)
    row = {"price": "50000", "amount": "1", "side": "buy"}
    exchange.market(trades=[{"timestamp": now_ms() + DAY_MS, **row}])
    bot = bots.start(bot_row(strategy="trades_reader"), EXECSVC_MAX_DATA_AGE="60")
    eventually(lambda: [g["guard"] for g in bot.last.guards] == ["data_age"], "refused", WITHIN)
    ticks_on(bot)
    assert exchange.orders() == []
    exchange.market(trades=[{"timestamp": now_ms() - DAY_MS, **row}])
    eventually(lambda: bot.last.position["side"] == "BUY", "old trades are no old read", WITHIN)
