"""The arithmetic between a unit's time-outs and the settings of the service in it."""

from __future__ import annotations

from math import inf

import pytest
from support.settings import settings

from execsvc.settings.unit_times import LAST_SECONDS, UnitTimes, longest_stop, unit_faults
from execsvc.supervisor import shutdown, supervisor

GOOD = {"start": 90.0, "stop": 150.0, "abort": 150.0, "watchdog": 30.0}


def said(changes: dict[str, float], **variables: str) -> list[str]:
    return unit_faults(UnitTimes(**{**GOOD, **changes}), settings(**variables))


def test_a_unit_with_time_for_everything_is_not_at_fault() -> None:
    assert said({}) == []
    assert said({"start": inf, "stop": inf, "abort": inf}) == []


@pytest.mark.parametrize(
    ("changes", "directive"),
    [
        ({"stop": 129.9, "abort": 129.9}, "TimeoutStopSec"),
        ({"abort": 100.0}, "TimeoutAbortSec"),
        ({"start": 29.0}, "TimeoutStartSec"),
        ({"watchdog": 19.0}, "WatchdogSec"),
        ({"watchdog": inf}, "WatchdogSec"),
    ],
)
def test_what_is_too_short_is_named_once(changes: dict[str, float], directive: str) -> None:
    (line,) = said(changes)
    assert line.startswith(directive)


def test_without_a_watchdog_its_end_needs_no_time() -> None:
    assert [line.split()[0] for line in said({"abort": 1.0, "watchdog": inf})] == ["WatchdogSec"]


def test_a_stop_is_as_long_as_the_longer_one_of_its_two_time_outs() -> None:
    assert longest_stop(settings()) == 120 + LAST_SECONDS
    assert longest_stop(settings(stop_timeout="300")) == 300 + LAST_SECONDS
    (line,) = said({}, shutdown_timeout="141")
    assert line.startswith("TimeoutStopSec (150 s)")


def test_the_end_of_a_stop_has_the_time_that_the_supervisor_takes_for_it() -> None:
    assert LAST_SECONDS >= shutdown.KILL_PATIENCE + 2 * supervisor.FAREWELL
