"""A pytest plug-in: what will run and what is missing, at the start; what was slow or skipped, at the end.

With pytest-xdist the controller alone prints; its workers tell it what they left out.
"""

from __future__ import annotations

import os
import platform
from collections import Counter, defaultdict
from collections.abc import Iterable

import pytest
from support.requirements import REQUIREMENTS, TO_RUN, lacking

SLOWEST = 20
QUICK = 0.5
"""A test that takes fewer seconds is never listed as slow."""
_LEFT_OUT = "execsvc_left_out"
"""Under this name a worker tells the controller how many tests the selection left out."""
_left_out = pytest.StashKey[int]()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Say what will run, on which Python, with how many workers, and what is missing."""
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    if terminal is None or _is_worker(session.config):
        return
    for line in beginning(session.config):
        terminal.write_line(line)


def beginning(config: pytest.Config) -> list[str]:
    """The first lines of a run."""
    workers = config.getoption("numprocesses", None)
    side_by_side = f"{workers} workers" if workers else "one worker"
    first = f"running {_selected(config)}, on Python {platform.python_version()}, "
    first += f"with {side_by_side} on {os.cpu_count()} cores"
    lacks = [lack for lack in map(lacking, REQUIREMENTS) if lack is not None]
    if not lacks:
        return [first, "nothing that a test needs is missing here"]
    reasons = dict.fromkeys(lack.reason for lack in lacks)
    return [first, "missing here, so that some tests are skipped:", *(f"  {r}" for r in reasons)]


def pytest_deselected(items: list[pytest.Item]) -> None:
    """Count what the selection leaves out."""
    if items:
        stash = items[0].config.stash
        stash[_left_out] = stash.get(_left_out, 0) + len(items)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tell the controller, from a worker, what the selection left out."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[_LEFT_OUT] = session.config.stash.get(_left_out, 0)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """Note, in the controller, what a worker left out; each of them left out the same."""
    told = getattr(node, "workeroutput", {}).get(_LEFT_OUT, 0)
    stash = node.config.stash  # type: ignore[attr-defined]
    stash[_left_out] = max(told, stash.get(_left_out, 0))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the slowest tests, what was skipped, and what the selection left out."""
    stats = terminalreporter.stats
    reports = [
        report
        for group in stats.values()
        for report in group
        if isinstance(report, pytest.TestReport)
    ]
    slowest = slowest_of(reports)
    if slowest:
        terminalreporter.section(f"the {len(slowest)} slowest tests, in seconds", sep="=")
        for line in slowest:
            terminalreporter.write_line(line)
    not_run = skipped_of(stats.get("skipped", ()))
    left_out = terminalreporter.config.stash.get(_left_out, 0)
    if left_out:
        selected = _selected(terminalreporter.config)
        not_run.append(f"{left_out} tests were not asked for: this ran {selected}")
    if not_run:
        terminalreporter.section("what did not run, and what would make it run", sep="=")
        for line in not_run:
            terminalreporter.write_line(line)


def slowest_of(reports: Iterable[pytest.TestReport]) -> list[str]:
    """The slowest tests, set-up and clean-up included; none of those that are quick."""
    seconds: Counter[str] = Counter()
    for report in reports:
        seconds[report.nodeid] += report.duration  # type: ignore[assignment]
    slow = [(name, took) for name, took in seconds.most_common(SLOWEST) if took >= QUICK]
    return [f"{took:8.1f}  {name}" for name, took in slow]


def skipped_of(reports: Iterable[pytest.TestReport]) -> list[str]:
    """For each reason: how many tests it kept from running, where these are, and the remedy."""
    places: dict[str, Counter[str]] = defaultdict(Counter)
    for report in reports:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        places[reason.removeprefix("Skipped: ")][report.nodeid.split("::")[0]] += 1
    lines = []
    for reason, where in sorted(places.items(), key=lambda item: -item[1].total()):
        words, _, remedy = reason.partition(TO_RUN)
        tests = "1 test was" if where.total() == 1 else f"{where.total()} tests were"
        lines += [
            f"{tests} skipped: {words}",
            f"    to run: {remedy or 'no remedy is known'}",
            *(f"    {count:5}  {place}" for place, count in sorted(where.items())),
        ]
    return lines


def _selected(config: pytest.Config) -> str:
    """In words, which tests were asked for."""
    given = set(map(str, config.invocation_params.args))
    words = " ".join(name for name in config.args if name in given) or "all tests"
    conditions = []
    if config.getoption("markexpr", ""):
        conditions.append(f"are {config.getoption('markexpr')}")
    if config.getoption("keyword", ""):
        conditions.append(f"match {config.getoption('keyword')!r}")
    return f"{words} that {' and '.join(conditions)}" if conditions else words


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")
