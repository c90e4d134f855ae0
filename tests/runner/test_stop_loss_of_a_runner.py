"""A stop loss in a whole control loop on a simulated clock: when a look comes, and what it survives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from support.bot_process import bot_row
from support.memory_market import NOON, MemoryBot, MemoryExchange

from execsvc.clock import SimulatedClock, installed
from execsvc.errors import OrderRefused, Unavailable
from execsvc.model.balance import Balance
from execsvc.model.bot import parse_row
from execsvc.model.market import Depth, Level, Limits
from execsvc.model.order import Fill
from execsvc.model.position import Position
from execsvc.paper.terms import Terms
from execsvc.runner.context import StrategyRun
from execsvc.runner.persistence import Persistence
from execsvc.runner.runner import BotRunner
from execsvc.sandbox.dialects import Dialect
from execsvc.strategies.base import NoState, Strategy

D = Decimal
LIMITS = Limits(min_amount=D("0.00001"), min_notional=D(5))


class Idle(Strategy[NoState, NoState]):
    """Reads and orders nothing."""

    id = "idle"

    def execute(self, ctx: Any) -> None:
        pass


@dataclass
class Script:
    """The events of a market: each of ``steps`` at its seconds; at ``end`` [s] the market ends."""

    steps: list[tuple[float, Callable[[], None]]] = field(default_factory=list)
    end: float = 60.0


class Market(MemoryExchange):
    """A market with a bid that a script moves, and a balance that it may make unreadable."""

    def __init__(self, clock: SimulatedClock) -> None:
        balances = {"BTC": D("1.02"), "USDT": D(100_000)}
        terms = Terms(limits=LIMITS, fee_rate=D(0))
        super().__init__(clock, D(50_000), terms, LIMITS, Dialect.BINANCE, balances)
        self.script = Script()
        self.bid = D(50_000)
        self.down: set[str] = set()
        """The reads that fail: balance, depth."""
        self.refusal: Exception | None = None
        """The reason for which no order is taken."""

    @property
    def elapsed(self) -> float:
        return self._clock.monotonic()

    def ends_within(self, seconds: float) -> bool:
        until = self.elapsed + seconds
        steps = self.script.steps
        while steps and steps[0][0] <= until:
            at, step = steps.pop(0)
            self.pass_time(at - self.elapsed)
            step()
        self.pass_time(min(until, self.script.end) - self.elapsed)
        return until >= self.script.end

    def balance(self, *assets: str) -> Balance:
        if "balance" in self.down:
            raise Unavailable("GET /balance: HTTP 500")
        return super().balance(*assets)

    def place_order(self, *args: object, **given: object) -> Fill:
        if self.refusal is not None:
            raise self.refusal
        return super().place_order(*args, **given)  # type: ignore[arg-type]

    def depth(self, symbol: str, limit: int) -> Depth:
        if "depth" in self.down:
            raise Unavailable("GET /market/depth: HTTP 500")
        amount = D(1000)
        return Depth(
            symbol=symbol, bids=(Level(self.bid, amount),), asks=(Level(self.bid + 1, amount),)
        )


class Bot(MemoryBot):
    """A bot that has bought 0.02 at 50 000, with a runner of its own."""

    exchange: Market

    def __init__(self, market: Market) -> None:
        super().__init__(market)
        position = Position(tracked=D("0.02"), entry_price=D(50_000), opened_at=NOON)
        self.ledger.keep_position(self.order_service.binding, position)

    def run(
        self,
        end: float,
        *steps: tuple[float, Callable[[], None]],
        stop_loss: object = 5,
        interval: float = 1.0,
    ) -> None:
        """Run it to ``end`` [s], by its row's ``stop_loss`` [%] and ``interval`` [s]; then hold."""
        self.exchange.script, self._waits.stop = Script(list(steps), end), None
        spec = parse_row(bot_row(interval=interval, risk={"stop_loss": stop_loss}))
        runner = BotRunner(
            self._services,
            StrategyRun(spec, Idle(), NoState(), interval),
            self.exchange,
            self.order_service,
            Persistence(self._services, 0.0, 0.0),
            may_hold=False,
        )
        runner._is_to_hold = lambda: True  # type: ignore[method-assign]
        runner.run()

    @property
    def guards(self) -> list[str]:
        return [guard["guard"] for guard in self.reporter.snapshot.guards]

    @property
    def holds(self) -> bool:
        return self.position.side is not None

    def release(self) -> None:
        self._journal.ask_release("b1", NOON)


@pytest.fixture
def bot() -> Iterator[Bot]:
    clock = SimulatedClock(NOON)
    with installed(clock):
        yield Bot(Market(clock))


@pytest.mark.parametrize("stop_loss", [None, "", 0, 20])
def test_a_decided_sale_goes_on_though_the_row_is_changed_meanwhile(
    bot: Bot, stop_loss: object
) -> None:
    market = bot.exchange
    market.bid, market.refusal = D(47_000), OrderRefused("POST /order: HTTP 400")
    bot.run(3.0)
    assert bot.holds and bot.guards == ["stop_loss"]
    market.bid, market.refusal = D(52_000), None
    bot.restart()
    bot.run(6.0, stop_loss=stop_loss)
    assert not bot.holds
    assert market.sent == [D("0.02")]
    assert bot.ledger.failing() == (None, None), "the alarm ends with it"
    assert bot.guards == ["stop_loss"], "no entry until it is stopped and started, or released"


def test_without_a_decided_sale_a_row_without_a_stop_loss_sells_nothing(bot: Bot) -> None:
    bot.exchange.bid = D(1_000)
    bot.run(60.0, stop_loss=None, interval=20.0)
    assert bot.holds and bot.guards == []


def test_a_release_ends_no_sale_that_is_decided_and_frees_entries_once_it_is_done(bot: Bot) -> None:
    market = bot.exchange
    market.bid, market.refusal = D(47_000), OrderRefused("POST /order: HTTP 400")
    seen: list[list[str]] = []

    def rise() -> None:
        market.bid = D(52_000)

    def recover() -> None:
        seen.append(bot.guards)
        market.refusal = None

    bot.run(20.0, (2.0, rise), (3.0, bot.release), (9.0, recover))
    assert seen == [["stop_loss"]]
    assert not bot.holds
    assert market.sent == [D("0.02")]
    assert bot.guards == ["stop_loss"]
    bot.restart()
    bot.run(40.0, (23.0, bot.release))
    assert bot.guards == []


def test_a_tick_whose_balance_cannot_be_read_looks_at_the_stop_loss_all_the_same(bot: Bot) -> None:
    market = bot.exchange
    bot.release()  # each tick reads the balance for it
    market.down = {"balance"}
    seen: list[tuple[list[str], str | None]] = []

    def fall() -> None:
        market.bid = D(47_000)

    def recover() -> None:
        seen.append((bot.guards, bot.reporter.snapshot.last_error))
        market.bid, market.down = D(52_000), set()

    bot.run(20.0, (3.0, fall), (9.0, recover))
    ((guards, error),) = seen
    assert guards == ["stop_loss"], "decided while no balance could be read"
    assert error == "GET /balance: HTTP 500"
    assert market.sent == [D("0.02")], "sold once, at whatever price, as soon as it can be"
    assert not bot.holds


def test_a_release_is_carried_out_within_seconds_where_ticks_are_an_hour_apart(bot: Bot) -> None:
    market = bot.exchange
    market.bid = D(47_000)
    seen: list[tuple[list[str], bool, int]] = []

    def note() -> None:
        asked = bot._journal.release_asked("b1")
        seen.append((bot.guards, asked, bot.reporter.snapshot.ticks))

    bot.run(120.0, (50.0, note), (51.0, bot.release), (57.0, note), interval=3600.0)
    assert [guards for guards, *_ in seen] == [["stop_loss"], []]
    assert seen[1][1] is False, "carried out"
    assert seen[1][2] == 1, "between two ticks"


def test_a_release_that_waits_for_a_balance_ends_no_look_between_ticks(bot: Bot) -> None:
    market = bot.exchange
    market.down = {"balance"}
    seen: list[tuple[list[str], str | None]] = []

    def fall() -> None:
        market.bid = D(47_000)

    def recover() -> None:
        seen.append((bot.guards, bot.reporter.snapshot.last_error))
        market.down = set()

    bot.run(120.0, (10.0, bot.release), (50.0, fall), (90.0, recover), interval=3600.0)
    assert seen[0][0] == ["stop_loss"]
    assert "could not be closed" in str(seen[0][1])
    assert not bot.holds and market.sent == [D("0.02")]


@pytest.mark.parametrize("at", [7.0, 1801.0, 3590.0])
def test_an_interval_of_an_hour_is_looked_after_within_five_seconds_at_any_moment(
    bot: Bot, at: float
) -> None:
    market = bot.exchange
    seen: list[bool] = []

    def fall() -> None:
        market.bid = D(47_000)
        seen.append(bot.holds)

    def note() -> None:
        seen.append(bot.holds)

    bot.run(at + 20.0, (at, fall), (at + 6.0, note), interval=3600.0)
    assert seen == [True, False]
    assert market.sent == [D("0.02")]
