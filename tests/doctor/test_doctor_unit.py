"""The properties of a unit by ``systemctl show``."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest
from support.settings import settings

from execsvc.doctor import limits, unit
from execsvc.doctor.finding import Cause, FindingLevel
from execsvc.doctor.timespan import seconds
from execsvc.doctor.unit import Unit

GOOD = {
    "LoadState": "loaded",
    "ActiveState": "active",
    "SubState": "running",
    "UnitFileState": "enabled",
    "NRestarts": "0",
    "NeedDaemonReload": "no",
    "MainPID": "0",
    "User": "root",
    "Type": "notify",
    "KillMode": "control-group",
    "OOMPolicy": "continue",
    "TimeoutStartUSec": "2min",
    "TimeoutStopUSec": "2min 30s",
    "TimeoutAbortUSec": "2min 30s",
    "WatchdogUSec": "1min",
    "LimitNOFILE": "65536",
    "TasksMax": "8192",
}


def made(**changes: str) -> Unit:
    return Unit("execsvc.service", {**GOOD, **changes})


def bad(**changes: str) -> list[tuple[FindingLevel, str, Cause]]:
    found = unit.check(made(**changes), settings())
    return [(f.level, f.what, f.cause) for f in found if f.level is not FindingLevel.OK]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1min 30s", 90),
        ("2h 1ms", 7200.001),
        ("1.500s", 1.5),
        ("1d 2month", 86_400 + 2 * 2_629_800),
        ("0", 0),
        ("", math.inf),
        ("infinity", math.inf),
    ],
)
def test_lengths_of_time(text: str, expected: float) -> None:
    assert seconds(text) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["soon", "1 min", "90", "-1s"])
def test_other_texts_are_no_lengths_of_time(text: str) -> None:
    with pytest.raises(ValueError, match=text.split(maxsplit=1)[0]):
        seconds(text)


def test_a_good_unit_has_no_findings() -> None:
    assert bad() == []


def test_no_systemd_and_no_unit() -> None:
    assert [f.level for f in unit.check(None, settings())] == [FindingLevel.OK]
    assert [(level, what) for level, what, _ in bad(LoadState="not-found")] == [
        (FindingLevel.WARNING, "execsvc.service is not-found")
    ]


@pytest.mark.parametrize(
    ("changes", "level", "word"),
    [
        ({"ActiveState": "failed", "Result": "exit-code"}, FindingLevel.FAULT, "exit-code"),
        ({"ActiveState": "inactive"}, FindingLevel.WARNING, "inactive"),
        ({"NRestarts": "3"}, FindingLevel.WARNING, "3 times"),
        ({"NeedDaemonReload": "yes"}, FindingLevel.WARNING, "not read it again"),
        ({"UnitFileState": "disabled"}, FindingLevel.WARNING, "does not start with the machine"),
        ({"KillMode": "mixed"}, FindingLevel.FAULT, "KillMode=mixed"),
        ({"Type": "simple"}, FindingLevel.FAULT, "Type=simple"),
        ({"OOMPolicy": "stop"}, FindingLevel.FAULT, "OOMPolicy=stop"),
        ({"TimeoutAbortUSec": "1min 30s"}, FindingLevel.FAULT, "AbortSec"),
        ({"WatchdogUSec": "0"}, FindingLevel.WARNING, "WatchdogSec is not set"),
        ({"WatchdogUSec": "infinity"}, FindingLevel.WARNING, "WatchdogSec is not set"),
        ({"TimeoutStopUSec": "a while"}, FindingLevel.WARNING, "cannot be read"),
    ],
)
def test_each_fault_is_found_once(changes: dict[str, str], level: FindingLevel, word: str) -> None:
    ((found, what, _),) = bad(**changes)

    assert found is level
    assert word in what


def test_time_outs_that_do_not_fit_are_a_fault_of_the_configuration() -> None:
    (first, *_) = bad(TimeoutStopUSec="10s", TimeoutAbortUSec="infinity")
    assert first[0] is FindingLevel.FAULT
    assert first[2] is Cause.CONFIGURATION


def test_a_unit_whose_type_can_do_more_is_ok() -> None:
    assert bad(Type="notify-reload") == []


def test_uid_of_a_unit() -> None:
    assert made().uid == 0
    assert made(User="").uid == 0
    assert made(User="nobody-of-that-name").uid is None
    assert made(LoadState="not-found").uid is None


def test_limits_are_those_of_the_process_while_it_runs() -> None:
    own = Path("/proc/self/limits").read_text()
    here = limits.open_files(made(MainPID=str(os.getpid())))

    assert here is None or str(here) in own
    assert limits.open_files(made()) == 65536
    assert limits.open_files(made(LimitNOFILE="infinity")) is None


@pytest.mark.parametrize(("bots", "level"), [(10, FindingLevel.OK), (1000, FindingLevel.FAULT)])
def test_limits_are_checked_by_the_number_of_bots(bots: int, level: FindingLevel) -> None:
    found = limits.check(bots, made(LimitNOFILE="1024", TasksMax="512"))

    assert [finding.level for finding in found] == [level, level]
    assert all(f"{bots} bots" in finding.what for finding in found)


def test_no_limit_is_enough() -> None:
    assert limits.limit_finding("tasks", None, 10**9, 10**8, "TasksMax").level is FindingLevel.OK


def test_a_watchdog_that_systemd_does_not_show_before_a_start_is_not_missed() -> None:
    (finding,) = bad(ActiveState="inactive", SubState="dead", WatchdogUSec="infinity")
    assert "is inactive" in finding[1]
