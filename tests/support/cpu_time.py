"""A pytest plug-in: the CPU time of each test, that of the processes which it started and saw end included.

On a machine that is busy with something else, CPU time is what can be compared between two runs.
With pytest-xdist each worker measures, and the controller prints.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator

import pytest
from support.starting import STARTS

MOST = 20
_OF_REPORT = "cpu_time"
"""Under this name the report of a phase has its seconds of CPU time."""


class Meter:
    """Reads how much CPU time was used since it was read last."""

    def __init__(self) -> None:
        self._last = 0.0
        self.used()

    def used(self) -> float:
        """Seconds since the last look: of this process, children that it reaped, and forked starts."""
        before, self._last = self._last, sum(os.times()[:4]) + STARTS.cpu
        return max(self._last - before, 0.0)


METER = Meter()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a run be asked for the tables of CPU time."""
    parser.addoption("--cpu", action="store_true", help="say what used most CPU time")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    """Add to the report what the phase has used."""
    report = yield
    setattr(report, _OF_REPORT, METER.used())
    return report  # type: ignore[return-value]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the sum, and with ``--cpu`` what used most of it."""
    reports = [
        report
        for group in terminalreporter.stats.values()
        for report in group
        if isinstance(report, pytest.TestReport)
    ]
    tests, files = by_test(reports), by_file(reports)
    if not tests:
        return
    if terminalreporter.config.getoption("cpu"):
        for what, found in (("tests", tests), ("files", files)):
            terminalreporter.section(f"the {what} with most CPU time, in seconds", sep="=")
            for name, seconds in found.most_common(MOST):
                terminalreporter.write_line(f"{seconds:8.1f}  {name}")
    terminalreporter.write_line(f"CPU time of all tests: {sum(tests.values()):.0f} s")


def by_test(reports: Iterable[pytest.TestReport]) -> Counter[str]:
    """Seconds of CPU time by test, set-up and clean-up included."""
    seconds: Counter[str] = Counter()
    for report in reports:
        seconds[report.nodeid] += getattr(report, _OF_REPORT, 0.0)  # type: ignore[assignment]
    return seconds


def by_file(reports: Iterable[pytest.TestReport]) -> Counter[str]:
    """Seconds of CPU time by the file of the test."""
    seconds: Counter[str] = Counter()
    for name, used in by_test(reports).items():
        seconds[name.split("::")[0]] += used
    return seconds
