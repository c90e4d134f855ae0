"""A stop loss in a bot's real process, judged by the exchange's books."""

from __future__ import annotations

import signal
from decimal import Decimal
from typing import Any

import pytest
from support.bot_process import BotProcess, BotProcesses, bot_row
from support.deadline import eventually
from support.exchange import OWN_BTC, Exchange
from support.stores import store_in

from execsvc.strategies.base import NoState, Strategy
from execsvc.strategies.registry import BUILT_IN
from execsvc.strategies.test_trading_v1.strategy import TrialParams

pytestmark = pytest.mark.slow

AGAIN = {"loop_count": 0}
"""A bot that would buy again at once."""


def row(stop_loss: Any = 5, **changes: Any) -> dict[str, Any]:
    return bot_row(risk={"stop_loss": stop_loss}, **changes)


def guards(bot: BotProcess) -> list[str]:
    return [guard["guard"] for guard in bot.last.guards]


def holds(bot: BotProcess) -> bool:
    return bot.last.position["side"] == "BUY"


def ticks_on(bot: BotProcess, count: int = 10) -> None:
    seen = bot.last.ticks
    eventually(lambda: bot.last.ticks >= seen + count, f"{count} more ticks")


def stopped_out(bot: BotProcess) -> None:
    eventually(lambda: guards(bot) == ["stop_loss"] and not holds(bot), "it is stopped out")


def test_a_fall_sells_all_and_nothing_is_bought_again(
    bots: BotProcesses, exchange: Exchange
) -> None:
    bot = bots.start(row(params=AGAIN))
    eventually(lambda: holds(bot), "the buy")
    exchange.market(price="47600")
    ticks_on(bot)
    assert exchange.orders(side="sell") == [], "not yet"
    exchange.market(price="47500")
    stopped_out(bot)
    ticks_on(bot)
    assert len(exchange.orders(side="buy")) == len(exchange.orders(side="sell")) == 1
    assert 0 <= exchange.bots_base() < Decimal("0.00001")
    assert exchange.lowest() >= OWN_BTC
    assert bot.last.consecutive_errors == 0
    assert "stop loss" in str(bot.last.last_error), "what keeps it from entering"
    (sold,) = [r for r in store_in(bots.state_dir).read_log("b1") if r.data.get("side") == "sell"]
    assert sold.event == "order_filled"
    assert sold.data["reason"].startswith("stop loss 5 %: 47499.99 is 5 % below the entry price of")
    bot.signal(signal.SIGTERM)
    assert bot.wait() == 0


def test_an_interval_of_ten_minutes_is_looked_after_in_between(
    bots: BotProcesses, exchange: Exchange
) -> None:
    bot = bots.start(row(interval=600))
    eventually(lambda: holds(bot), "the buy")
    exchange.market(price="45000")
    eventually(lambda: not holds(bot), "sold between two ticks")
    assert bot.last.ticks == 1
    assert guards(bot) == ["stop_loss"]
    assert len(exchange.executed(side="sell")) == 1


def test_without_a_stop_loss_the_book_is_never_read(bots: BotProcesses, exchange: Exchange) -> None:
    bot = bots.start(bot_row())
    eventually(lambda: holds(bot), "the buy")
    exchange.market(price="20000")
    seen = exchange.requests_of("depth")
    ticks_on(bot)
    assert exchange.requests_of("depth") == seen
    assert holds(bot)


def test_without_a_position_the_book_is_never_read(bots: BotProcesses, exchange: Exchange) -> None:
    exchange.fund(usdt="0")
    bot = bots.start(row())
    eventually(lambda: bot.last.ticks > 10, "ticks")
    assert exchange.requests_of("depth") == 0


class Reader(Strategy[TrialParams, NoState]):
    """Buys once, and reads 20 levels of the book on each tick."""

    id = "reader"
    Params = TrialParams

    def execute(self, ctx: Any) -> None:
        ctx.depth(20)
        if ctx.position.side is None:
            ctx.buy(Decimal("0.01"), "in")


def test_a_strategy_that_reads_the_book_costs_no_second_read(
    bots: BotProcesses, exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(BUILT_IN, "reader", Reader)
    bot = bots.start(row(strategy="reader"))
    eventually(lambda: holds(bot), "the buy")
    ticks_on(bot, 20)
    bot.signal(signal.SIGTERM)
    assert bot.wait() == 0
    assert exchange.requests_of("depth") <= bot.last.ticks + 1, "one a tick, and one cut short"


class Raiser(Reader):
    """Buys once, and raises on each tick from then on."""

    id = "raiser"

    def execute(self, ctx: Any) -> None:
        if ctx.position.side is not None:
            raise ValueError("a strategy that does not work any more")
        ctx.buy(Decimal("0.01"), "in")


def test_whatever_its_strategy_does(
    bots: BotProcesses, exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(BUILT_IN, "raiser", Raiser)
    bot = bots.start(row(strategy="raiser", interval=4))
    eventually(lambda: bot.last.consecutive_errors > 0, "it raises")
    exchange.market(price="47000")
    stopped_out(bot)
    assert bot.last.consecutive_errors < 10


def test_on_paper_until_it_is_released(bots: BotProcesses, exchange: Exchange) -> None:
    bot = bots.start(row(mode="PAPER", params=AGAIN))
    eventually(lambda: holds(bot), "the buy")
    exchange.market(price="47000")
    stopped_out(bot)
    ticks_on(bot)
    bot.signal(signal.SIGKILL)
    bot.wait()
    bot = bots.start(row(mode="PAPER", params=AGAIN))
    eventually(lambda: guards(bot) == ["stop_loss"], "the next process knows")
    ticks_on(bot)
    assert not holds(bot)
    assert "paper" in store_in(bots.state_dir).release("b1")
    eventually(lambda: holds(bot) and guards(bot) == [], "it enters again")
    assert exchange.requests_of("order") == 0


def test_a_position_from_before_a_crash_is_sold_by_the_next_process(
    bots: BotProcesses, exchange: Exchange
) -> None:
    bot = bots.start(row(params=AGAIN))
    eventually(lambda: holds(bot), "the buy")
    bot.signal(signal.SIGKILL)
    bot.wait()
    exchange.market(price="40000")
    bot = bots.start(row(params=AGAIN))
    stopped_out(bot)
    ticks_on(bot)
    assert len(exchange.orders(side="buy")) == 1
    assert "execsvc release" in bot.last.guards[0]["detail"]
    store_in(bots.state_dir).release("b1")
    eventually(lambda: holds(bot), "released, it enters again")
    assert guards(bot) == []


def test_a_sale_that_is_refused_is_tried_again_and_told(
    bots: BotProcesses, exchange: Exchange
) -> None:
    bot = bots.start(row())
    eventually(lambda: holds(bot), "the buy")
    exchange.fault("status", call="order", times=None, match={"side": "sell"}, status=400)
    exchange.market(price="47000")
    eventually(lambda: bot.last.liquidation_failed, "told as of any liquidation")
    assert holds(bot) and guards(bot) == ["stop_loss"]
    assert "could not be closed" in str(bot.last.last_error)
    exchange.market(price="52000")
    ticks_on(bot, 3)
    exchange.heal()
    eventually(lambda: not holds(bot), "sold, though the price is better now")
    eventually(lambda: not bot.last.liquidation_failed, "over")
    assert 0 <= exchange.bots_base() < Decimal("0.00001")


def test_an_unknown_outcome_is_settled_and_sold_once(
    bots: BotProcesses, exchange: Exchange
) -> None:
    bot = bots.start(row())
    eventually(lambda: holds(bot), "the buy")
    exchange.fault("status", call="order", match={"side": "sell"}, status=500, execute=True)
    exchange.market(price="47000")
    stopped_out(bot)
    assert len(exchange.executed(side="sell")) == 1
    assert exchange.lowest() >= OWN_BTC


def test_a_ticker_and_a_book_that_fail_block_no_exit_and_are_never_zero(
    bots: BotProcesses, exchange: Exchange
) -> None:
    bot = bots.start(row())
    eventually(lambda: holds(bot), "the buy")
    exchange.fault("status", call="depth", times=None, status=500)
    exchange.fault("status", call="ticker", times=None, status=500)
    eventually(lambda: "cannot be judged" in str(bot.last.last_error), "said")
    exchange.market(price="47000")
    ticks_on(bot, 3)
    assert holds(bot)
    exchange.heal()
    exchange.fault("status", call="ticker", times=None, status=500)
    stopped_out(bot)


def test_coins_that_are_gone_are_not_sold(bots: BotProcesses, exchange: Exchange) -> None:
    bot = bots.start(row())
    eventually(lambda: holds(bot), "the buy")
    ticks_on(bot, 2)
    exchange.by_hand(kind="withdraw", asset="BTC", amount="1.01")
    exchange.market(price="47000")
    eventually(lambda: exchange.executed(side="sell"), "what is there is sold")
    assert Decimal(exchange.executed(side="sell")[0]["filled"]) < Decimal("0.01")
    assert store_in(bots.state_dir).read("b1") is not None


@pytest.mark.parametrize("after", ["stop_loss_changed", "stop_loss_removed"])
def test_a_changed_row_frees_no_entries(bots: BotProcesses, exchange: Exchange, after: str) -> None:
    bot = bots.start(row(params=AGAIN))
    eventually(lambda: holds(bot), "the buy")
    exchange.market(price="47000")
    stopped_out(bot)
    bot.signal(signal.SIGUSR2)
    assert bot.wait() == 0
    changed = row(20 if after == "stop_loss_changed" else None, params=AGAIN)
    bot = bots.start(changed)
    eventually(lambda: guards(bot) == ["stop_loss"], "it is told of")
    ticks_on(bot)
    assert len(exchange.orders(side="buy")) == 1
