"""Strategies that raise, leave, or do in on_stop what they should not: the policy looks afterwards."""

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
from support.stores import store_in

from execsvc.errors import OrderRefused
from execsvc.runner.job import Task
from execsvc.strategies.base import AnyContext, Strategy
from execsvc.strategies.diagnostics import Diagnostics
from execsvc.strategies.registry import BUILT_IN

DUST = Decimal("0.00001")
Patch, Way = pytest.MonkeyPatch, Callable[[AnyContext], None]


def tracked(bot: BotProcess) -> Decimal:
    return Decimal(bot.last.position["tracked"] or 0)


def is_open(bots: BotProcesses, bot_id: str = "b1") -> bool:
    state = store_in(bots.state_dir).read(bot_id)
    assert state is not None
    return state.is_open


def kind(bot: BotProcess) -> str | None:
    return bot.last.end.kind.value if bot.last.end else None


def flat(bots: BotProcesses, exchange: Exchange) -> None:
    """Flat by the exchange's books and by what the supervisor reads."""
    assert not is_open(bots)
    assert 0 <= exchange.bots_base() < DUST
    assert exchange.lowest() >= OWN_BTC


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


def buys(ctx: AnyContext) -> None:
    ctx.buy(Decimal("0.01"), "more")


def sells_half_and_raises(ctx: AnyContext) -> None:
    ctx.sell(ctx.position.tracked / 2, "half")
    raise ZeroDivisionError


@pytest.fixture
def wild(monkeypatch: pytest.MonkeyPatch) -> type[Wild]:
    monkeypatch.setitem(BUILT_IN, "wild", Wild)
    monkeypatch.setattr(Wild, "act", staticmethod(nothing), raising=False)
    monkeypatch.setattr(Wild, "way_out", staticmethod(nothing), raising=False)
    return Wild


@pytest.mark.says("bot_given_up", "strategy_error")
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


@pytest.mark.parametrize(
    "way_out",
    [
        pytest.param(raises, marks=pytest.mark.says("on_stop_error")),
        pytest.param(buys, marks=pytest.mark.says("on_stop_skipped")),
        buys_and_swallows,
        sells_half_and_raises,
    ],
)
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


class Undiagnosable(Strategy[Nothing, BaseModel]):
    """Ticks well; its diagnostics raise."""

    id = "undiagnosable"
    Params: ClassVar[type[BaseModel]] = Nothing

    def execute(self, ctx: AnyContext) -> None:
        """Nothing to do."""

    def diagnostics(self) -> Diagnostics:
        raise RuntimeError("no diagnosis")


def test_diagnostics_that_raise_are_told_once_and_end_no_tick(
    bots: BotProcesses, monkeypatch: Patch
) -> None:
    monkeypatch.setitem(BUILT_IN, Undiagnosable.id, Undiagnosable)
    bot = bots.start(bot_row("b1", strategy=Undiagnosable.id, params={}))
    eventually(lambda: bot.last.ticks > 5, "it ticks on")
    assert bot.last.consecutive_errors == 0
    told = [
        line for line in store_in(bots.state_dir).read_log("b1") if line.event == "strategy_error"
    ]
    assert len(told) == 1


class Talkative(Undiagnosable):
    """Its diagnostics are longer than a report, and no text at all where text is expected."""

    id = "talkative"

    def diagnostics(self) -> Diagnostics:
        odd: Any = ValueError("odd")
        return Diagnostics(missing="\ud800" + "x" * 10_000, ended=odd)


def test_diagnostics_that_are_long_or_odd_cost_no_report(
    bots: BotProcesses, monkeypatch: Patch
) -> None:
    monkeypatch.setitem(BUILT_IN, Talkative.id, Talkative)
    bot = bots.start(bot_row("b1", strategy=Talkative.id, params={}))
    eventually(lambda: bot.last.ticks > 5, "it ticks on, and says so")
    assert str(bot.last.diagnostics["missing"]).startswith("?xxx")
    assert bot.last.diagnostics["ended"] == "odd"
