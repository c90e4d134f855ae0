"""Contested orders, coins that are gone, and what an operator says of them."""

from __future__ import annotations

import signal
from contextlib import closing
from decimal import Decimal

import pytest
from support.bot_process import BotProcess, BotProcesses, bot_row
from support.deadline import eventually
from support.exchange import OWN_BTC, Exchange
from support.store_files import journal_path
from support.stores import store_in, waiting

from execsvc.clock import now
from execsvc.errors import LedgerFailed
from execsvc.model.comparison import Discrepancy
from execsvc.runner.counts import SERIES, Series
from execsvc.store.bot_state import LedgerState
from execsvc.store.doubt import Doubt

DUST = Decimal("0.00001")
MOVED = Decimal("0.005")
"""The quantity that the user adds by hand while an order is settled."""


def tracked(bot: BotProcess) -> Decimal:
    return Decimal(bot.last.position["tracked"] or 0)


def state(bots: BotProcesses) -> LedgerState:
    found = store_in(bots.state_dir).read("b1")
    assert found is not None
    return found


def contest_a_buy(bots: BotProcesses, exchange: Exchange) -> BotProcess:
    """A buy that did not execute, with an answer that does not say so, and a user's deposit."""
    exchange.fault("status", call="order", status=500)
    bot = bots.start(bot_row())
    eventually(exchange.orders, "the buy arrives")
    exchange.by_hand(kind="deposit", asset="BTC", amount=str(MOVED))
    eventually(lambda: bot.last.contested == 1, "it is contested")
    assert tracked(bot) == 0
    return bot


def test_a_contested_buy_blocks_entries_until_it_is_decided(
    bots: BotProcesses, exchange: Exchange
) -> None:
    bot = contest_a_buy(bots, exchange)
    ticks = bot.last.ticks
    eventually(lambda: bot.last.ticks > ticks + 5, "more ticks")
    assert len(exchange.orders()) == 1
    store_in(bots.state_dir).settle("b1", Decimal(0))
    eventually(lambda: tracked(bot) > 0, "it buys again")
    bot.signal(signal.SIGTERM)
    assert bot.wait() == 0
    assert 0 <= exchange.bots_base(own=OWN_BTC + MOVED) < DUST
    assert state(bots).contested == 0


def test_an_order_counts_once_whatever_an_operator_says_of_it(
    bots: BotProcesses, exchange: Exchange
) -> None:
    bot = contest_a_buy(bots, exchange)
    store_in(bots.state_dir).settle("b1", Decimal(0))
    eventually(lambda: tracked(bot) > 0, "it buys again")
    bot.signal(signal.SIGTERM)
    assert bot.wait() == 0
    numbers = dict(zip(SERIES, bot.last.counts, strict=False))
    orders = {series.labels: n for series, n in numbers.items() if series.name == "orders" and n}
    assert orders == {
        ("live", "buy", "contested"): 1,
        ("live", "buy", "filled"): 1,
        ("live", "sell", "filled"): 1,
    }
    assert numbers[Series("settlements", ("contested",))] == 1
    assert numbers[Series("orders_unknown", ("buy",))] == 1


@pytest.mark.parametrize(("filled", "ends"), [("0.01", ["EXECUTION", "FILLED"]), ("0", ["FAILED"])])
def test_botservice_is_told_what_an_operator_decided(
    bots: BotProcesses, exchange: Exchange, filled: str, ends: list[str]
) -> None:
    exchange.fault("status", call="order", status=500)
    bot = bots.start(bot_row(params={"hold_duration": 1}), EXECSVC_REPORT_LEDGER="true")
    eventually(exchange.orders, "the buy arrives")
    exchange.by_hand(kind="deposit", asset="BTC", amount=str(MOVED))
    eventually(lambda: bot.last.contested == 1, "it is contested")
    rows = waiting(bots.state_dir, "b1")
    assert [row.mark.kind.value for row in rows] == ["ORDER", "SENT"]
    assert bot.last.reported == 2
    store_in(bots.state_dir).settle("b1", Decimal(filled))
    eventually(lambda: bot.last.reported > 2, "it is decided")
    bot.signal(signal.SIGKILL)
    bot.wait()
    rows = waiting(bots.state_dir, "b1")
    first = rows[0].mark.order_id
    decided = [row.mark.kind.value for row in rows if row.mark.order_id == first]
    assert decided == ["ORDER", "SENT", *ends]


@pytest.mark.says("order_contested", "order_booked_contested")
def test_a_contested_sell_is_never_repeated(bots: BotProcesses, exchange: Exchange) -> None:
    exchange.fault("status", call="order", status=500, match={"side": "sell"})
    bot = bots.start(bot_row())
    eventually(lambda: tracked(bot) > 0, "the buy")
    bought = tracked(bot)
    bot.signal(signal.SIGTERM)
    eventually(lambda: exchange.orders(side="sell"), "the sell arrives")
    exchange.by_hand(kind="deposit", asset="BTC", amount=str(MOVED))
    assert bot.wait() == 0
    assert state(bots).contested == 1
    assert not exchange.executed(side="sell")
    store_in(bots.state_dir).settle("b1", Decimal(0))
    assert state(bots).is_open, "the supervisor has something to close"
    assert bots.start("b1").wait() == 0
    assert not state(bots).is_open
    assert Decimal(exchange.executed(side="sell")[0]["filled"]) <= bought
    assert 0 <= exchange.bots_base(own=OWN_BTC + MOVED) < DUST


def test_an_account_the_bot_has_left_is_closed_all_the_same(
    bots: BotProcesses, exchange: Exchange
) -> None:
    """The order on the old account is decided when the bot has long moved to another one."""
    exchange.fund("k2")
    bot = contest_a_buy(bots, exchange)
    bot.signal(signal.SIGTERM)
    assert bot.wait() == 0
    assert not state(bots).is_open
    moved = bots.start(bot_row(key="k2"))
    eventually(lambda: tracked(moved) > 0, "the buy on the new account")
    moved.signal(signal.SIGUSR2)
    assert moved.wait() == 0
    store_in(bots.state_dir).settle("b1", MOVED)
    assert state(bots).unsettled

    journal = journal_path(bots.state_dir, "k1")
    sound = journal.read_bytes()
    journal.write_bytes(bytes(len(sound)))
    broken = bots.start("b1")
    assert broken.wait() == 70, "what cannot be read is not called flat"
    assert broken.last.liquidation_failed
    assert 0 <= exchange.bots_base("k2") < DUST, "the other account does not wait for it"
    assert not exchange.executed("k1")
    with pytest.raises(LedgerFailed):
        store_in(bots.state_dir).read("b1")

    journal.write_bytes(sound)
    assert bots.start("b1").wait() == 0
    assert not state(bots).is_open
    assert exchange.executed("k1")[0]["filled"] == str(MOVED)


def test_released_coins_are_booked_at_once(bots: BotProcesses, exchange: Exchange) -> None:
    bot = bots.start(bot_row())
    eventually(lambda: tracked(bot) > 0, "the buy")
    bought = tracked(bot)
    store_in(bots.state_dir).release("b1")  # nothing is missing yet: no word for later
    ticks = bot.last.ticks
    eventually(lambda: bot.last.ticks > ticks + 2, "it was heard")
    exchange.by_hand(kind="withdraw", asset="BTC", amount="1.01")
    ticks = bot.last.ticks
    eventually(lambda: bot.last.ticks > ticks + 5, "more ticks")
    assert tracked(bot) == bought
    store_in(bots.state_dir).release("b1")
    eventually(lambda: tracked(bot) < bought, "booked without an order")
    assert tracked(bot) == bought - Decimal("0.01")
    assert not exchange.orders(side="sell")
    bot.signal(signal.SIGTERM)
    assert bot.wait() == 0
    assert 0 <= exchange.bots_base(own=Decimal(0)) < DUST
    rows = store_in(bots.state_dir).read_log("b1")
    assert [row.event for row in rows].count("coins_gone") == 1


def test_locked_coins_are_waited_for_and_missing_ones_given_up(
    bots: BotProcesses, exchange: Exchange
) -> None:
    soon = {"EXECSVC_GONE_AFTER": "0.5"}
    bot = bots.start(bot_row(), **soon)
    eventually(lambda: tracked(bot) > 0, "the buy")
    bought = tracked(bot)
    exchange.by_hand(kind="lock", asset="BTC", amount=str(1 + bought))
    bot.signal(signal.SIGTERM)
    assert bot.wait() == 75
    assert tracked(bot) == bought
    exchange.by_hand(kind="unlock", asset="BTC", amount=str(1 + bought))
    exchange.by_hand(kind="withdraw", asset="BTC", amount="1.01")
    attempts = 0
    while bots.start("b1", **soon).wait() != 0:
        attempts += 1
        assert attempts < 20
    assert not state(bots).is_open
    assert 0 <= exchange.bots_base(own=Decimal(0)) < DUST
    assert exchange.executed(side="sell")


def test_contested_position_of_an_earlier_start_is_shown_until_it_is_decided(
    bots: BotProcesses, exchange: Exchange
) -> None:
    bot = bots.start(bot_row())
    eventually(lambda: tracked(bot) > 0, "it buys")
    bot.signal(signal.SIGUSR2)
    assert bot.wait() == 0
    store = store_in(bots.state_dir)
    found = Doubt(
        bot_id="b1",
        symbol="BTC/USDT",
        discrepancy=Discrepancy.CONTESTED,
        at=now(),
        detail="by an earlier start",
    )
    with closing(store.account("k1")) as account:
        account.keep_doubts([found], "an earlier start", [])
    bot = bots.start(bot_row())
    eventually(lambda: bot.last.phase == "RUNNING", "it runs")
    assert "by an earlier start" in (bot.last.doubt or "")
    store.keep("b1")
    eventually(lambda: bot.last.doubt is None, "it is decided")
