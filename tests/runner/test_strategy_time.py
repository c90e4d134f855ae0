"""The time that a strategy lives by: differences of it are what has passed, whatever is set."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from support.clocks import HOUR, SetClock
from support.ledger_samples import BINDING, order
from support.store_files import change
from support.stores import store_in

from execsvc.clock import installed
from execsvc.model.position import Position
from execsvc.runner.strategy_time import StrategyTime

NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
MINUTE = timedelta(minutes=1)


class Bench:
    """A bot's ledger, whose processes each make the time anew."""

    def __init__(self, folder: Path, clock: SetClock) -> None:
        self.clock = clock
        self.ledger = store_in(folder).bot("b1")
        self.ledger.open()
        self.start()

    def start(self) -> None:
        """As a new process of the bot."""
        self.time = StrategyTime(self.ledger, BINDING)

    def keep(self) -> None:
        """As at the end of a tick."""
        self.ledger.keep_state(BINDING.strategy, "{}", self.time.kept())

    def buy(self) -> None:
        """An order that opens a position, booked now."""
        now = self.clock.now()
        moments = {"created_at": now, "settled_at": now}
        self.ledger.book(BINDING, order().model_copy(update=moments))

    @property
    def held(self) -> timedelta:
        """For how long the position has been held, as a strategy sees it."""
        position: Position = self.time.of(self.ledger.position(BINDING))
        assert position.opened_at is not None
        return self.time.now() - position.opened_at


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    clock = SetClock(NOON)
    with installed(clock):
        made = Bench(tmp_path, clock)
        yield made
        made.ledger.close()


def test_now_without_a_step_is_the_wall_clock(bench: Bench) -> None:
    bench.clock.advance(0.1234)
    assert bench.time.now() == bench.clock.now()


@pytest.mark.parametrize("step", [-HOUR, HOUR])
def test_now_clock_is_set_goes_on(bench: Bench, step: float) -> None:
    bench.clock.set_by(step)
    bench.clock.advance(60)
    assert bench.time.now() == NOON + MINUTE


@pytest.mark.parametrize("step", [-HOUR, HOUR])
def test_now_clock_is_set_between_two_processes_goes_on(bench: Bench, step: float) -> None:
    bench.clock.advance(0.1234567)
    bench.keep()
    bench.clock.set_by(step)
    bench.clock.advance(59.8765433)
    bench.start()
    assert abs(bench.time.now() - (NOON + MINUTE)) <= timedelta(microseconds=1)


@pytest.mark.parametrize(("step", "passed"), [(0, 60), (HOUR, HOUR + 60), (-HOUR, 0)])
def test_now_in_another_boot_is_the_wall_clock_and_never_earlier(
    bench: Bench, step: float, passed: float
) -> None:
    bench.keep()
    bench.clock.advance(60)
    bench.clock.reboot()
    bench.clock.set_by(step)
    bench.start()
    assert bench.time.now() == NOON + timedelta(seconds=passed)


def test_now_nothing_kept_any_more_is_the_wall_clock(bench: Bench) -> None:
    bench.keep()
    bench.clock.set_by(HOUR)
    bench.ledger.keep_state(BINDING.strategy, None)
    bench.start()
    assert bench.time.now() == bench.clock.now()


@pytest.mark.parametrize("step", [-HOUR, HOUR])
@pytest.mark.parametrize("restarts", [False, True])
def test_opened_at_clock_is_set_before_and_after_tells_how_long_it_is_held(
    bench: Bench, step: float, restarts: bool
) -> None:
    bench.keep()
    bench.clock.set_by(step)
    bench.buy()
    bench.clock.advance(30)
    assert bench.held == timedelta(seconds=30)
    bench.keep()
    bench.clock.set_by(-step)
    bench.clock.advance(30)
    if restarts:
        bench.start()
    assert bench.held == MINUTE


def test_opened_at_of_an_older_service_goes_by_the_wall_clock(bench: Bench) -> None:
    bench.buy()
    change(bench.ledger, "DELETE FROM moment")
    bench.clock.advance(60)
    bench.start()
    assert bench.held == MINUTE
