"""Entries that come to nothing, again and again: they wait ever longer, and that is shown."""

from __future__ import annotations

import signal
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from support.bot_process import BotProcess, BotProcesses, bot_row
from support.deadline import eventually
from support.exchange import Exchange
from support.guarded import GuardedOrders
from support.stores import store_in

from execsvc.errors import GuardRefused
from execsvc.execution.guards import GuardLimits
from execsvc.model.order import Fill, OrderState, Side

D = Decimal
NOTHING = {"state": OrderState.NOT_EXECUTED, "fill": Fill(filled=D(0))}


def guards(bot: BotProcess) -> list[str]:
    return [guard["guard"] for guard in bot.last.guards]


def is_open(bots: BotProcesses) -> bool:
    state = store_in(bots.state_dir).read("b1")
    assert state is not None
    return state.is_open


def said(bots: BotProcesses) -> list[str]:
    rows = store_in(bots.state_dir).read_log("b1")
    return [row.event for row in rows if row.data.get("guard") == "entry_backoff"]


NOT_FILLED: dict[str, dict[str, Any]] = {
    "refused": {"kind": "refuse"},
    "expired": {"kind": "partial", "fraction": "0", "order_status": "expired"},
    "moved for now": {"kind": "redirect", "status": 307, "detail": "/elsewhere"},
    "moved for good": {"kind": "redirect", "status": 301, "detail": "/elsewhere"},
    "unheard of": {"kind": "status", "status": 500, "detail": "the order was rejected"},
}


@pytest.mark.parametrize("kind", NOT_FILLED)
def test_entries_that_come_to_nothing_wait_until_one_is_filled(
    bots: BotProcesses, exchange: Exchange, kind: str
) -> None:
    exchange.fault(call="order", times=None, **NOT_FILLED[kind])
    bot = bots.start(bot_row(), EXECSVC_SETTLEMENT_WINDOW="1")
    eventually(lambda: guards(bot) == ["entry_backoff"], "the guard")
    assert len(exchange.orders()) == 3
    seen = bot.last.ticks
    eventually(lambda: bot.last.ticks > seen + 5, "some ticks")
    assert len(exchange.orders()) == 3, "it waits"
    assert bot.last.consecutive_errors == 0
    for told in (bot.last.last_error or "", bot.last.guards[0]["detail"]):
        assert "nothing was filled of 3 entries in a row, the next one waits until" in told
    eventually(lambda: len(exchange.orders()) == 4, "the next one")
    bot.signal(signal.SIGKILL)
    bot.wait()
    exchange.heal()
    bot = bots.start(bot_row(), EXECSVC_SETTLEMENT_WINDOW="1")
    eventually(lambda: guards(bot) == ["entry_backoff"], "another process knows of it")
    assert len(exchange.orders()) == 4
    eventually(lambda: bot.last.position["side"] == "BUY", "the entry that is filled")
    eventually(lambda: guards(bot) == [], "it ends the wait")
    assert len(exchange.orders()) == 5
    assert said(bots)[0] == "guard_tripped"
    assert said(bots)[-1] == "guard_cleared"


def test_exits_do_not_wait(bots: BotProcesses, exchange: Exchange) -> None:
    bot = bots.start(bot_row(params={"hold_duration": 1}))
    eventually(lambda: bot.last.position["side"] == "BUY", "the buy")
    exchange.fault("refuse", call="order", match={"side": "sell"}, times=6)
    eventually(lambda: bot.last.position["side"] is None, "the exit", 20)
    assert len(exchange.orders(side="sell")) == 7
    assert guards(bot) == []


def test_release_ends_the_wait(bots: BotProcesses, exchange: Exchange) -> None:
    exchange.fault("refuse", call="order", times=6)
    bot = bots.start(bot_row())
    eventually(lambda: len(exchange.orders()) == 6, "six refusals", 90)
    exchange.heal()
    store = store_in(bots.state_dir)
    eventually(lambda: not is_open(bots), "the sixth refusal is booked")
    assert "forgotten" in store.release("b1")
    eventually(lambda: bot.last.position["side"] == "BUY", "an entry at once", 20)
    assert guards(bot) == []


def enters(order_service: GuardedOrders) -> bool:
    order_service.tick()
    try:
        order_service.guards.check_entry()
    except GuardRefused as refusal:
        return refusal.guards != ("entry_backoff",)
    return True


def test_guard_waits_twice_as_long_after_each_entry_to_five_minutes(
    order_service: GuardedOrders,
) -> None:
    order_service.start(GuardLimits())
    for _ in range(3):
        assert enters(order_service)
        order_service.order(Side.BUY, **NOTHING)
    for wait in (5, 10, 20, 40, 80, 160, 300, 300, 300, 300, 300):
        assert not enters(order_service)
        order_service.clock.advance(wait - 0.01)
        assert not enters(order_service)
        order_service.clock.advance(0.01)
        assert enters(order_service)
        assert order_service.tripped == ["entry_backoff"], "shown until an entry is filled"
        order_service.order(Side.BUY, **NOTHING)
    assert len([line for line in order_service.said if "tripped" in line]) == 11, "one line a step"
    order_service.order(Side.BUY)
    assert enters(order_service)
    assert order_service.tripped == []


@pytest.mark.parametrize(
    ("orders", "is_free"),
    [
        ([{}, {}], True),
        ([{}, {}, {}], False),
        ([{"short": True, "side": Side.SELL}] * 3, False),
        ([{"side": Side.SELL}] * 3, True),  # exits
        ([{"short": True}] * 3, True),  # exits of a short
        ([{}, {}, {"side": Side.SELL}, {}], False),  # an exit between them ends nothing
        ([{}, {}, {"state": OrderState.EXECUTED, "fill": Fill(filled=D("0.01"))}, {}, {}], True),
    ],
)
def test_guard_counts_entries_in_a_row_of_which_nothing_was_filled(
    order_service: GuardedOrders, orders: list[dict[str, Any]], is_free: bool
) -> None:
    order_service.start(GuardLimits())
    for changes in orders:
        order_service.order(**{"side": Side.BUY, **NOTHING, **changes})
    assert enters(order_service) is is_free


@pytest.mark.parametrize("hours_off", [-24, 24])
def test_guard_never_waits_longer_for_a_clock_that_was_set(
    order_service: GuardedOrders, hours_off: int
) -> None:
    ended_at = order_service.clock.now() + timedelta(hours=hours_off)
    for _ in range(4):
        order_service.order(Side.BUY, **NOTHING, settled_at=ended_at)
    order_service.start(GuardLimits())
    assert enters(order_service) is (hours_off < 0)
    order_service.clock.advance(10)
    assert enters(order_service)


def test_forgetting_counts_entries_anew(order_service: GuardedOrders) -> None:
    order_service.start(GuardLimits())
    for _ in range(3):
        order_service.order(Side.BUY, **NOTHING)
    assert not enters(order_service)
    order_service.ledger.forget_size_answers()
    assert enters(order_service)
    assert order_service.tripped == []
    for _ in range(3):
        assert enters(order_service)
        order_service.order(Side.BUY, **NOTHING)
    assert not enters(order_service)
