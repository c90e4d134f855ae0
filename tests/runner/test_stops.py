"""A stop, a hold and a lost supervisor at every moment of an order's life."""

from __future__ import annotations

import signal
from collections.abc import Callable
from decimal import Decimal
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel
from support.bot_process import BotProcess, BotProcesses, bot_row
from support.deadline import eventually
from support.exchange import OWN_BTC, Exchange

from execsvc.errors import OrderRefused
from execsvc.ledger import survey
from execsvc.ledger.account_journal import AccountJournal
from execsvc.runner.job import Task
from execsvc.strategies.base import AnyContext, Strategy
from execsvc.strategies.registry import BUILT_IN

DUST = Decimal("0.00001")
Patch, Way = pytest.MonkeyPatch, Callable[[AnyContext], None]


def tracked(bot: BotProcess) -> Decimal:
    return Decimal(bot.last.position["tracked"] or 0)


def is_open(bots: BotProcesses, bot_id: str = "b1") -> bool:
    state = survey.read(bots.state_dir, bot_id)
    assert state is not None
    return state.is_open


def kind(bot: BotProcess) -> str | None:
    return bot.last.end.kind.value if bot.last.end else None


def flat(bots: BotProcesses, exchange: Exchange) -> None:
    """Flat by the exchange's books and by what the supervisor reads."""
    assert not is_open(bots)
    assert 0 <= exchange.bots_base() < DUST
    assert exchange.lowest() >= OWN_BTC


MOMENTS: dict[str, dict[str, Any]] = {
    "sending": {"kind": "slow", "seconds": 1.0, "execute": True},
    "settling": {"kind": "status", "status": 500, "execute": True, "lag": 1.0},
    "arrival": {"kind": "no_fee", "lag": 1.0},
}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR2], ids=["TERM", "USR2"])
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_signal_while_a_buy_is_under_way(
    bots: BotProcesses, exchange: Exchange, moment: str, number: int
) -> None:
    exchange.fault(call="order", **MOMENTS[moment])
    bot = bots.start(bot_row())
    eventually(exchange.orders, "the buy arrives")
    bot.signal(number)
    assert bot.wait() == 0
    if number == signal.SIGUSR2:
        assert kind(bot) == "HELD"
        assert not exchange.orders(side="sell")
        bot = bots.start(bot_row())
        eventually(lambda: tracked(bot) > 0, "the position is recovered")
        assert tracked(bot) == exchange.bots_base()
        bot.signal(signal.SIGTERM)
        assert bot.wait() == 0
    assert kind(bot) == "STOPPED"
    flat(bots, exchange)
    assert len(exchange.executed(side="buy")) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR2], ids=["TERM", "USR2"])
def test_a_signal_while_it_waits_for_its_turn(
    bots: BotProcesses, exchange: Exchange, number: int
) -> None:
    other = AccountJournal(bots.state_dir, "k1")
    assert other.turn.try_acquire()
    bot = bots.start(bot_row())
    eventually(lambda: bot.last.phase == "RUNNING", "the first tick")
    bot.signal(number)
    assert bot.wait() == 0
    assert exchange.orders() == []
    other.close()


def test_a_stop_that_cuts_recovery_short_still_sells(
    bots: BotProcesses, exchange: Exchange
) -> None:
    """The order of the process before is not booked yet: the ledger alone looks flat."""
    exchange.fault("hang", call="order", execute=True)
    bot = bots.start(bot_row())
    eventually(exchange.executed, "the buy is executed")
    bot.signal(signal.SIGKILL)
    bot.wait()
    other = AccountJournal(bots.state_dir, "k1")
    assert other.turn.try_acquire()
    bot = bots.start(bot_row())
    eventually(lambda: bot.last.turn_wait > 0, "it waits for its turn")
    bot.signal(signal.SIGTERM)
    eventually(lambda: bot.last.phase == "STOPPING", "it stops")
    other.close()
    assert bot.wait() == 0
    assert kind(bot) == "STOPPED"
    flat(bots, exchange)
    assert len(exchange.executed()) == 2


@pytest.mark.parametrize("policy", ["liquidate", "hold"])
def test_an_orphan_does_as_it_is_configured(
    bots: BotProcesses, exchange: Exchange, policy: str
) -> None:
    bot = bots.start(bot_row(), EXECSVC_ON_SHUTDOWN=policy)
    eventually(lambda: tracked(bot) > 0, "the buy")
    bot.orphan()
    assert bot.wait() == 0
    assert kind(bot) == ("STOPPED" if policy == "liquidate" else "HELD")
    assert is_open(bots) == (policy == "hold")
    assert exchange.lowest() >= OWN_BTC


def test_a_refused_order_leaves_nothing_open(bots: BotProcesses, exchange: Exchange) -> None:
    """An outcome that stays unbooked would have the supervisor liquidate a flat bot."""
    exchange.fault("refuse", call="order", times=None)
    bot = bots.start(bot_row())
    eventually(lambda: len(exchange.orders()) > 1, "refused orders")
    bot.signal(signal.SIGTERM)
    assert bot.wait() == 0
    flat(bots, exchange)


def test_a_liquidation_without_balance_or_ticker_goes_on_until_it_is_flat(
    bots: BotProcesses, exchange: Exchange
) -> None:
    bot = bots.start(bot_row())
    eventually(lambda: tracked(bot) > 0, "the buy")
    exchange.fault("status", call="balance", times=None, status=500)
    exchange.fault("reset", call="ticker", times=None)
    bot.signal(signal.SIGTERM)
    assert bot.wait() == 75
    assert kind(bot) == "RESIDUE"
    assert bot.last.liquidation_failed
    again = bots.start("b1")
    assert again.wait() == 75
    exchange.heal()
    exchange.fault("reset", call="ticker", times=None)  # never blocks a sell
    last = bots.start("b1")
    assert last.wait() == 0
    assert not last.last.liquidation_failed
    flat(bots, exchange)
    rows = survey.read_log(bots.state_dir, "b1")
    assert [row.event for row in rows].count("liquidation_failed") == 2
    assert [row.event for row in rows].count("liquidation_recovered") == 1


class Nothing(BaseModel):
    """No parameters."""


class Wild(Strategy[Nothing, BaseModel]):
    """Buys, then does what its test wants."""

    id = "wild"
    Params: ClassVar[type[BaseModel]] = Nothing
    act: ClassVar[Callable[[AnyContext], None]]
    way_out: ClassVar[Callable[[AnyContext], None]]

    def execute(self, ctx: AnyContext) -> None:
        if ctx.position.side is None:
            ctx.buy(Decimal("0.01"), "wild")
        else:
            type(self).act(ctx)

    def on_stop(self, ctx: AnyContext) -> None:
        type(self).way_out(ctx)


def nothing(ctx: AnyContext) -> None:
    pass


def raises(ctx: AnyContext) -> None:
    raise ZeroDivisionError


def leaves(ctx: AnyContext) -> None:
    raise SystemExit(0)


def buys_and_swallows(ctx: AnyContext) -> None:
    try:
        ctx.buy(Decimal("0.01"), "more")
    except OrderRefused:
        ctx.log("swallowed")


def sells_half_and_raises(ctx: AnyContext) -> None:
    ctx.sell(ctx.position.tracked / 2, "half")
    raise ZeroDivisionError


@pytest.fixture
def wild(monkeypatch: pytest.MonkeyPatch) -> type[Wild]:
    monkeypatch.setitem(BUILT_IN, "wild", Wild)
    monkeypatch.setattr(Wild, "act", staticmethod(nothing), raising=False)
    monkeypatch.setattr(Wild, "way_out", staticmethod(nothing), raising=False)
    return Wild


def test_ten_exceptions_in_a_row_fail_and_liquidate(
    bots: BotProcesses, exchange: Exchange, wild: type[Wild], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wild, "act", staticmethod(raises))
    bot = bots.start(bot_row(strategy="wild"))
    assert bot.wait() == 70
    assert kind(bot) == "FAILED"
    assert bot.last.consecutive_errors == 10
    flat(bots, exchange)
    assert len(exchange.executed(side="buy")) == 1


@pytest.mark.parametrize("way_out", [raises, buys_and_swallows, sells_half_and_raises])
def test_whatever_on_stop_does_the_policy_looks_afterwards(
    bots: BotProcesses, exchange: Exchange, wild: type[Wild], monkeypatch: Patch, way_out: Way
) -> None:
    monkeypatch.setattr(wild, "way_out", staticmethod(way_out))
    bot = bots.start(bot_row(strategy="wild"))
    eventually(lambda: tracked(bot) > 0, "the buy")
    bot.signal(signal.SIGTERM)
    bot.signal(signal.SIGTERM)
    assert bot.wait() == 0
    flat(bots, exchange)
    assert len(exchange.executed(side="buy")) == 1


def test_an_exit_by_the_strategy_has_no_end_and_loses_nothing(
    bots: BotProcesses, exchange: Exchange, wild: type[Wild], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wild, "act", staticmethod(leaves))
    bot = bots.start(bot_row(strategy="wild"))
    bot.wait()
    assert bot.last.end is None
    assert is_open(bots)
    assert bots.start("b1", Task.LIQUIDATE).wait() == 0
    flat(bots, exchange)
