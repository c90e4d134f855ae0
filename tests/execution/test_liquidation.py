"""The zero position policy: attempts, back-off, and who hears of a failure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import datetime, timezone
from decimal import ROUND_DOWN, Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from support.clocks import HOUR, SetClock
from support.stores import store_in

from execsvc.clock import installed
from execsvc.errors import LedgerFailed, OrderRefused, StopRequested, Unavailable
from execsvc.execution import liquidation
from execsvc.execution.liquidation import Liquidation
from execsvc.execution.ports import ExecutionSettings
from execsvc.model.bot import Binding, Mode
from execsvc.model.order import OrderRequest, Purpose
from execsvc.model.position import Position
from execsvc.runner.counts import SERIES, Counts, Series
from execsvc.runner.services import BotServices
from execsvc.runner.waits import StopOrder

D = Decimal
BINDING = Binding(mode=Mode.LIVE, key_id="k1", symbol="BTC/USDT", strategy="test_trading_v1")


class Bench:
    """A ledger with a position, orders that do as its script says, a clock in hand."""

    def __init__(self, folder: Path, clock: SetClock) -> None:
        self.clock = clock
        self.ledger = store_in(folder).bot("b1")
        self.ledger.open()
        self.hold("0.02")
        self.slept: list[float] = []
        self.orders = 0
        self.counts = Counts()
        self.sell: Callable[[], None] = lambda: None
        self.said: list[str] = []
        self.reported: dict[str, object] = {}
        self.waits: Any = SimpleNamespace(wait=self.wait, stop=None, uninterrupted=nullcontext)

    def hold(self, tracked: str, sold_short: str = "0") -> None:
        position = Position(tracked=D(tracked), sold_short=D(sold_short))
        self.ledger.keep_position(BINDING, position)

    def run(self, attempts: int = 5, backoff: float = 1.0) -> bool:
        """A new process liquidates."""
        order_service: Any = _ScriptedOrders(self)
        record: Any = SimpleNamespace(log=lambda level, *rest, **data: self.said.append(level))
        reporter: Any = SimpleNamespace(
            update=self.reported.update, counts=self.counts, last_error=None
        )
        settings = ExecutionSettings(liquidation_attempts=attempts, liquidation_backoff=backoff)
        services = BotServices("b1", self.ledger, record, reporter, self.waits, settings)
        return Liquidation(services, order_service).run()

    @property
    def attempts_counted(self) -> int:
        """The value of ``execsvc_liquidation_attempts_total``."""
        return self.counts.numbers()[SERIES.index(Series("liquidation_attempts"))]

    def wait(self, seconds: float, interruptible: bool) -> None:
        assert not interruptible
        self.slept.append(seconds)


class _ScriptedOrders:
    binding = BINDING

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    @property
    def position(self) -> Position:
        return self._bench.ledger.position(BINDING)

    def drop_short(self, why: str) -> None:
        self._bench.ledger.keep_position(BINDING, self.position.without_short())

    def place(self, request: OrderRequest) -> None:
        assert request.purpose is Purpose.LIQUIDATION
        assert request.quantity == self.position.tracked
        self._bench.orders += 1
        self._bench.sell()

    def show_position(self) -> None: ...


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    clock = SetClock(datetime(2026, 1, 1, tzinfo=timezone.utc))
    with installed(clock):
        made = Bench(tmp_path, clock)
        yield made
        made.ledger.close()


def failing(error: Exception) -> Callable[[], None]:
    def sell() -> None:
        raise error

    return sell


def test_one_sale_is_enough(bench: Bench) -> None:
    bench.sell = lambda: bench.hold("0")
    assert bench.run()
    assert (bench.orders, bench.slept) == (1, [])


def test_nothing_tracked_is_nothing_sold(bench: Bench) -> None:
    bench.hold("0")
    assert bench.run()
    assert bench.orders == 0


@pytest.mark.parametrize("error", [OrderRefused("no"), Unavailable("down")])
def test_it_is_tried_so_often_with_growing_waits(bench: Bench, error: Exception) -> None:
    bench.sell = failing(error)
    assert not bench.run(attempts=7)
    assert bench.orders == 7
    assert len(bench.slept) == 6
    for slept, least in zip(bench.slept, (1, 2, 4, 8, 8, 8), strict=True):
        assert least <= slept <= min(least + 0.25, 8)


def test_a_part_is_followed_by_the_rest(bench: Bench) -> None:
    rests = iter(("0.01", "0.005", "0"))
    bench.sell = lambda: bench.hold(next(rests))
    assert bench.run()
    assert bench.orders == 3


def halving(bench: Bench, *before: Exception) -> Callable[[], None]:
    """A market that first fails as ``before`` says, one order each, then fills half of each order."""
    failures = list(before)

    def sell() -> None:
        if failures:
            raise failures.pop(0)
        left = (bench.ledger.position(BINDING).tracked / 2).quantize(D("0.00001"), ROUND_DOWN)
        bench.hold(str(left))

    return sell


def test_liquidation_half_of_each_order_is_filled_one_attempt_sells_all(bench: Bench) -> None:
    bench.sell = halving(bench)
    assert bench.run(attempts=1)
    assert bench.orders == 11
    assert bench.attempts_counted == 1
    assert bench.slept == [1.0] * 10, "the back-off of failures does not grow with what is sold"


def test_liquidation_failures_before_parts_leave_no_rest(bench: Bench) -> None:
    bench.sell = halving(bench, *[Unavailable("no answer within 2 s")] * 4)
    assert bench.run(attempts=5)
    assert bench.orders == 4 + 11
    assert bench.attempts_counted == 5


def test_liquidation_each_part_followed_by_a_refusal_ends_after_its_attempts(bench: Bench) -> None:
    def sell() -> None:
        if bench.orders % 2 == 0:
            raise OrderRefused("no")
        bench.hold(str(bench.ledger.position(BINDING).tracked / 2))

    bench.sell = sell
    assert not bench.run(attempts=3)
    assert bench.orders == 3 * 2
    assert bench.ledger.position(BINDING).tracked == D("0.02") / 8


def test_liquidation_a_large_backoff_between_parts_waits_the_longest(bench: Bench) -> None:
    bench.sell = halving(bench)
    assert bench.run(attempts=1, backoff=60.0)
    assert set(bench.slept) == {liquidation.LONGEST_BACKOFF}


def test_liquidation_told_to_hold_between_two_parts_sells_no_more(bench: Bench) -> None:
    def sell() -> None:
        bench.hold("0.01")
        bench.waits.stop = StopOrder("USR2", hold=True)

    bench.sell = sell
    with pytest.raises(StopRequested):
        bench.run()
    assert bench.orders == 1


def test_one_alarm_when_it_begins_and_one_a_minute_over_all_processes(bench: Bench) -> None:
    bench.sell = failing(Unavailable("down"))
    for _ in range(10):
        assert not bench.run(attempts=1)
        bench.clock.advance(20)
    assert bench.said.count("CRITICAL") == 4
    assert bench.reported["liquidation_failed"] is True
    bench.sell = lambda: bench.hold("0")
    assert bench.run()
    assert bench.reported["liquidation_failed"] is False
    assert bench.ledger.failing() == (None, None)


@pytest.mark.parametrize("step", [-HOUR, HOUR])
def test_alarm_clock_is_set_neither_silences_nor_repeats_it(bench: Bench, step: float) -> None:
    bench.sell = failing(Unavailable("down"))
    bench.run(attempts=1)
    bench.clock.set_by(step)
    bench.clock.advance(59)
    bench.run(attempts=1)
    assert bench.said.count("CRITICAL") == 1
    bench.clock.advance(1)
    bench.run(attempts=1)
    assert bench.said.count("CRITICAL") == 2


def test_a_short_is_dropped_not_bought_back(bench: Bench) -> None:
    bench.hold("0", sold_short="0.5")
    assert bench.run()
    assert bench.orders == 0
    assert bench.ledger.position(BINDING).sold_short == 0


def test_what_cannot_be_recorded_is_not_tried_on(bench: Bench) -> None:
    bench.sell = failing(LedgerFailed("disk full"))
    with pytest.raises(LedgerFailed):
        bench.run()
    assert bench.orders == 1


def test_told_to_hold_it_sells_no_more(bench: Bench) -> None:
    bench.waits.stop = StopOrder("USR2", hold=True)
    with pytest.raises(StopRequested):
        bench.run()
    assert bench.orders == 0
