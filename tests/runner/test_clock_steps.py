"""A wall clock that is set, and a machine that is suspended, while real processes of bots trade."""

from __future__ import annotations

import signal
from decimal import Decimal

import pytest
from support.bot_process import BotProcess, BotProcesses, bot_row
from support.clocks import HOUR, SharedClock
from support.deadline import eventually
from support.exchange import Exchange
from support.stores import store_in

from execsvc.clock import installed

D = Decimal
WITHIN = 90.0
PATIENT = {
    "EXECSVC_REQUEST_TIMEOUT": "20",
    "EXECSVC_ORDER_TIMEOUT": "30",
    "EXECSVC_SETTLEMENT_WINDOW": "20",
}
"""A busy machine must not make an order look lost."""


class Machine:
    """Bots' processes on clocks in hand."""

    def __init__(self, bots: BotProcesses) -> None:
        self.clock = SharedClock()
        self._bots = bots

    def start(self, bot_id: str, **environ: str) -> BotProcess:
        """A bot on an account of its own that holds for two seconds; ``b1`` holds for an hour."""
        hold = HOUR if bot_id == "b1" else 2.0
        row = bot_row(bot_id, key=bot_id, params={"hold_duration": hold})
        with installed(self.clock):
            return self._bots.start(row, **PATIENT, **environ)


@pytest.fixture
def machine(bots: BotProcesses) -> Machine:
    return Machine(bots)


def holds(bot: BotProcess) -> bool:
    return bot.last.position["side"] == "BUY"


def ticks_on(*bots: BotProcess) -> None:
    """Let each of them tick some more."""
    for bot in bots:
        seen = bot.last.ticks
        eventually(lambda b=bot, s=seen: b.last.ticks > s + 5, "some ticks", WITHIN)


def test_hold_duration_clock_is_set_while_it_holds_and_between_two_processes_is_kept(
    machine: Machine, exchange: Exchange
) -> None:
    for key in ("b1", "b2"):
        exchange.fund(key)
    long = machine.start("b1")
    machine.start("b2")
    eventually(lambda: holds(long) and exchange.executed("b2", "buy"), "both buy", WITHIN)
    machine.clock.set_by(-HOUR)
    eventually(lambda: exchange.executed("b2", "sell"), "two seconds are no hour", WITHIN)
    machine.clock.set_by(HOUR)
    ticks_on(long)
    assert holds(long), "the hour has not passed"
    long.signal(signal.SIGKILL)
    long.wait()
    machine.clock.set_by(2 * HOUR)
    long = machine.start("b1")
    eventually(lambda: holds(long), "it goes on", WITHIN)
    ticks_on(long)
    assert holds(long), "nor has it for another process"
    assert len(exchange.orders("b1")) == 1


def test_coins_missing_clock_is_set_or_machine_suspended_are_not_gone(
    machine: Machine, bots: BotProcesses, exchange: Exchange
) -> None:
    def said(event: str) -> int:
        return [row.event for row in store_in(bots.state_dir).read_log("b2")].count(event)

    exchange.fund("b2")
    bot = machine.start("b2", EXECSVC_GONE_AFTER="1800")
    eventually(lambda: exchange.executed("b2", "buy"), "it buys", WITHIN)
    exchange.by_hand("b2", kind="withdraw", asset="BTC", amount="1.01")
    eventually(lambda: said("coins_missing"), "they are missed", WITHIN)
    machine.clock.set_by(HOUR)
    ticks_on(bot)
    machine.clock.suspend(HOUR)
    ticks_on(bot)
    assert said("coins_gone") == 0
    assert D(bot.last.position["tracked"] or 0) > 0
    exchange.by_hand("b2", kind="deposit", asset="BTC", amount="1.01")
    eventually(lambda: bot.last.position["side"] is None, "they are back, and sold", WITHIN)
    assert exchange.bots_base("b2") < D("0.0001")


@pytest.mark.parametrize("step", [-HOUR, HOUR])
def test_settlement_clock_is_set_between_crash_and_restart_no_order_is_doubled(
    machine: Machine, exchange: Exchange, step: float
) -> None:
    """The order executes only once the next process has begun to settle it."""
    exchange.fund("b1")
    exchange.fault("late", call="order", seconds=5)
    bot = machine.start("b1")
    eventually(lambda: exchange.orders("b1"), "the order arrives", WITHIN)
    bot.signal(signal.SIGKILL)
    bot.wait()
    machine.clock.set_by(step)
    bot = machine.start("b1")
    eventually(lambda: holds(bot), "it has the position", WITHIN)
    ticks_on(bot)
    assert len(exchange.orders("b1")) == 1
    assert D(bot.last.position["tracked"] or 0) == exchange.bots_base("b1")
