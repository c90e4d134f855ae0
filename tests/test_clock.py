from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from support.clocks import HOUR, SetClock

from execsvc import clock
from execsvc.clock import Moment, SimulatedClock, UnsetClock, installed

START = datetime(2020, 1, 1, tzinfo=timezone.utc)


def test_simulated_clock_moves_by_advance_alone_and_never_back() -> None:
    simulated = SimulatedClock(START, 100.0)
    simulated.advance(0.1)
    simulated.advance(-5)

    assert simulated.now() == START + timedelta(seconds=0.1)
    assert simulated.monotonic() == 100.1


def test_installed_clock_is_that_of_the_process() -> None:
    with installed(SimulatedClock(START, 7.0)):
        assert (clock.now(), clock.monotonic()) == (START, 7.0)

    assert clock.now() > START
    assert clock.monotonic() != 7.0


def test_the_system_clock_counts_seconds_since_boot_with_those_of_a_suspended_machine() -> None:
    before = time.clock_gettime(time.CLOCK_BOOTTIME)
    assert before <= clock.monotonic() <= time.clock_gettime(time.CLOCK_BOOTTIME)
    assert clock.moment().boot_id == Path("/proc/sys/kernel/random/boot_id").read_text().strip()


@pytest.mark.parametrize("step", [-HOUR, 0, HOUR])
def test_seconds_since_in_one_boot_no_step_counts(step: float) -> None:
    stepped = SetClock(START)
    with installed(stepped):
        past = clock.moment()
        stepped.set_by(step)
        stepped.advance(7)
        assert clock.seconds_since(past) == 7


@pytest.mark.parametrize(("step", "passed"), [(-HOUR, 0), (0, 7), (HOUR, HOUR + 7)])
def test_seconds_since_in_another_boot_goes_by_the_wall_clocks(step: float, passed: float) -> None:
    stepped = SetClock(START)
    with installed(stepped):
        past = clock.moment()
        stepped.advance(7)
        stepped.reboot()
        stepped.set_by(step)
        assert clock.seconds_since(past) == passed


def test_moment_of_a_time_just_read_is_that_by_both_clocks() -> None:
    stepped = SetClock(START)
    with installed(stepped):
        at = clock.now()
        stepped.advance(2)
        assert clock.moment_of(at) == Moment(at, 1000.0, "boot 1")


def test_unset_clock_goes_on_from_its_start() -> None:
    stepped = SetClock(START)
    unset = UnsetClock(stepped)
    stepped.set_by(HOUR)
    stepped.advance(7)
    assert unset.now() == START + timedelta(seconds=7)
    assert (unset.monotonic(), unset.boot_id()) == (stepped.monotonic(), stepped.boot_id())
