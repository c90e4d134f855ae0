"""The arithmetic between a unit's time-outs and the settings of the service in it."""

from __future__ import annotations

from math import inf

import pytest
from support.settings import settings

from execsvc.settings.unit_times import (
    LAST_SECONDS,
    UnitTimes,
    longest_stop,
    longest_stop_alone,
    unit_faults,
    unit_warnings,
)
from execsvc.supervisor import shutdown, systemd_updates

GOOD = {"start": 90.0, "stop": 150.0, "abort": 150.0, "watchdog": 60.0}


def faults(changes: dict[str, float], **variables: str) -> list[str]:
    return unit_faults(UnitTimes(**{**GOOD, **changes}), settings(**variables))


def warnings(changes: dict[str, float], **variables: str) -> list[str]:
    return unit_warnings(UnitTimes(**{**GOOD, **changes}), settings(**variables))


def test_unit_with_enough_time_has_no_fault() -> None:
    for changes in ({}, {"start": inf, "stop": inf, "abort": inf}):
        assert faults(changes) + warnings(changes) == []


@pytest.mark.parametrize(
    ("changes", "directive"),
    [
        ({"stop": 129.9, "abort": 129.9}, "TimeoutStopSec"),
        ({"abort": 100.0}, "TimeoutAbortSec"),
        ({"start": 29.0}, "TimeoutStartSec"),
    ],
)
def test_time_out_that_leaves_positions_open_is_a_fault(
    changes: dict[str, float], directive: str
) -> None:
    (line,) = faults(changes)
    assert line.startswith(directive)


@pytest.mark.parametrize("watchdog", [19.0, inf])
def test_watchdog_too_short_or_absent_is_a_warning(watchdog: float) -> None:
    (line,) = warnings({"watchdog": watchdog})
    assert line.startswith("WatchdogSec")
    assert faults({"watchdog": watchdog}) == []


def test_without_a_watchdog_its_end_needs_no_time() -> None:
    assert faults({"abort": 1.0, "watchdog": inf}) == []


def test_a_bot_alone_needs_its_stop_and_an_order_with_its_settlement() -> None:
    assert longest_stop_alone(settings()) == 90 + 30 + 10
    assert faults({}, stop_timeout="110") == []
    (line,) = faults({}, stop_timeout="111")
    assert "151 s" in line


def test_a_shutdown_that_may_outlast_the_unit_is_a_warning_as_it_asks_for_more_time() -> None:
    assert longest_stop(settings()) == 120 + LAST_SECONDS
    assert warnings({}, shutdown_timeout="130") == []
    (line,) = warnings({}, shutdown_timeout="131")
    assert line.startswith("TimeoutStopSec (150 s)")
    assert faults({}, shutdown_timeout="131") == []


def test_the_end_of_a_stop_has_the_time_that_the_supervisor_takes_for_it() -> None:
    assert shutdown.KILL_PATIENCE + systemd_updates.LEAVING <= LAST_SECONDS
