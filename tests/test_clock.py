from __future__ import annotations

from datetime import datetime, timedelta, timezone

from execsvc import clock
from execsvc.clock import SimulatedClock, installed

START = datetime(2020, 1, 1, tzinfo=timezone.utc)


def test_a_simulated_clock_moves_only_when_told_and_never_back() -> None:
    simulated = SimulatedClock(START, 100.0)
    simulated.advance(0.1)
    simulated.advance(-5)

    assert simulated.now() == START + timedelta(seconds=0.1)
    assert simulated.monotonic() == 100.1


def test_a_process_lives_by_the_clock_that_is_installed() -> None:
    with installed(SimulatedClock(START, 7.0)):
        assert (clock.now(), clock.monotonic()) == (START, 7.0)

    assert clock.now() > START
    assert clock.monotonic() != 7.0
