"""A SELL entry: base that the user owns is sold, bought back by its own exit, and by nothing else."""

from __future__ import annotations

import signal
import time
from decimal import Decimal
from typing import Any

import pytest
from support.bot_process import BotProcess, BotProcesses, bot_row
from support.deadline import eventually
from support.exchange import Exchange
from support.stores import store_in

pytestmark = pytest.mark.slow

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
}


def row(bot_id: str = "b1", **changes: Any) -> dict[str, Any]:
    made = bot_row(bot_id, strategy="orderflow_exhaustion_v1", **changes)
    made["pipeline"]["strategy"]["params"] = dict(EAGER)
    return made


@pytest.fixture(autouse=True)
def calm(exchange: Exchange) -> None:
    """The book of :func:`market` before any bot has seen another one.

    Pressure is judged against the spread that was usual before it; a first tick on a narrower book
    would make each later one expanded, and never absorbed.
    """
    exchange.market(bids=[["49995", "50"]], asks=[["50005", "50"]], trades=[])


def market(exchange: Exchange, mid: int, takers: str = "buy") -> None:
    """A book around ``mid``, and a taker's trade of just now."""
    now = int(time.time() * 1000)
    exchange.market(
        bids=[[str(mid - 5), "50"]],
        asks=[[str(mid + 5), "50"]],
        trades=[{"timestamp": now, "price": str(mid), "amount": "1", "side": takers}],
    )


def sold_short(exchange: Exchange, bot: BotProcess) -> Decimal:
    """Let takers buy, again and again, and the price stand, until the bot has sold."""

    def has_sold() -> bool:
        market(exchange, 50_000)
        return bot.last.position["side"] == "SELL"

    eventually(has_sold, "a SELL entry")
    return Decimal(str(bot.last.position["sold_short"]))


def test_what_the_user_owns_is_sold_and_exactly_that_is_bought_back(
    exchange: Exchange, bots: BotProcesses
) -> None:
    bot = bots.start(row())
    amount = sold_short(exchange, bot)
    assert amount == Decimal(exchange.executed(side="sell")[0]["filled"]) == Decimal(1)

    market(exchange, 49_000)
    eventually(lambda: bot.last.position["side"] is None, "the position is closed")

    (back,) = exchange.executed(side="buy")
    assert Decimal(back["filled"]) == amount
    bot.signal(signal.SIGTERM)
    assert bot.wait() == 0
    assert len(exchange.executed()) == 2


def test_no_guard_stands_before_a_buy_back(exchange: Exchange, bots: BotProcesses) -> None:
    """The entry took all that a minute allows, and is over every limit but that of its size."""
    limits = {
        "EXECSVC_MAX_ORDERS_PER_MINUTE": "1",
        "EXECSVC_MAX_ORDER_NOTIONAL": "50000",
        "EXECSVC_DAILY_LOSS_LIMIT": "1",
    }
    bot = bots.start(row(), **limits)
    sold_short(exchange, bot)
    eventually(lambda: [g["guard"] for g in bot.last.guards] == ["daily_loss"], "its fee is a loss")
    market(exchange, 51_000)
    eventually(lambda: bot.last.position["side"] is None, "the position is closed at a loss")
    assert len(exchange.executed(side="buy")) == 1


@pytest.mark.says("short_dropped")
def test_a_stop_does_not_buy_back_and_says_so(exchange: Exchange, bots: BotProcesses) -> None:
    bot = bots.start(row())
    sold_short(exchange, bot)

    bot.signal(signal.SIGTERM)

    assert bot.wait() == 0
    assert exchange.executed(side="buy") == []
    state = store_in(bots.state_dir).read("b1")
    assert state is not None
    assert (state.is_open, state.position.sold_short) == (False, 0)
    assert "short_dropped" in [line.event for line in store_in(bots.state_dir).read_log("b1")]
    assert "1 BTC sold short is not bought back" in str(bot.last.last_error)


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGUSR2])
def test_a_crash_and_a_hold_resume_it(
    exchange: Exchange, bots: BotProcesses, end: signal.Signals
) -> None:
    first = bots.start(row())
    amount = sold_short(exchange, first)
    first.signal(end)
    first.wait()

    second = bots.start(row())
    eventually(lambda: second.last.position["side"] == "SELL", "it is resumed")
    market(exchange, 49_000)
    eventually(lambda: second.last.position["side"] is None, "the position is closed")

    assert sum(Decimal(order["filled"]) for order in exchange.executed(side="buy")) == amount


def test_what_other_bots_hold_is_never_sold(exchange: Exchange, bots: BotProcesses) -> None:
    exchange.fund(btc=Decimal("0.5"))
    holder = bots.start(bot_row("holder"))
    eventually(lambda: holder.last.position["side"] == "BUY", "another bot holds")

    amount = sold_short(exchange, bots.start(row("seller")))

    assert Decimal("0.49") < amount <= Decimal("0.5")
    tracked = Decimal(str(holder.last.position["tracked"]))
    assert Decimal(exchange.account()["balances"]["BTC"]["free"]) >= tracked


@pytest.mark.says("strategy_said")
def test_nothing_is_sold_while_a_ledger_of_the_account_cannot_be_read(
    exchange: Exchange, bots: BotProcesses
) -> None:
    market(exchange, 50_000, takers="sell")
    bot = bots.start(row())
    eventually(lambda: bot.last.ticks > 0, "it ticks")
    (bots.state_dir / "bots" / "damaged.db").write_bytes(b"not a database")

    def was_refused() -> bool:
        market(exchange, 50_000)
        said = [
            line.text
            for line in store_in(bots.state_dir).read_log("b1")
            if line.event == "strategy_said"
        ]
        return any("no SELL entry" in text and "is unknown" in text for text in said)

    eventually(was_refused, "a refused SELL entry")
    assert exchange.orders() == []
    assert bot.last.end is None


def test_it_is_bought_back_only_as_far_as_the_free_quote_pays(
    exchange: Exchange, bots: BotProcesses
) -> None:
    bot = bots.start(row())
    sold_short(exchange, bot)
    exchange.by_hand(kind="withdraw", asset="USDT", amount="50000")

    market(exchange, 49_000)
    eventually(lambda: bot.last.position["side"] is None, "the position is closed")

    (back,) = exchange.executed(side="buy")
    assert Decimal("0.1") < Decimal(back["filled"]) < Decimal("0.3")


def test_an_exit_leaves_nothing_behind_where_no_minimum_is_published(
    exchange: Exchange, bots: BotProcesses
) -> None:
    """The fee in base leaves what the strategy's precision cannot express; it is sold all the same."""
    exchange.market(publish_limits=False, min_amount=None, min_notional=None)
    bot = bots.start(row())

    def has_bought() -> bool:
        market(exchange, 50_000, takers="sell")
        return bot.last.position["side"] == "BUY"

    eventually(has_bought, "a BUY entry")
    market(exchange, 51_000, takers="sell")
    eventually(lambda: bot.last.position["side"] is None, "the position is closed")

    assert exchange.bots_base() == 0
