"""Fixtures for tests of the real program."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from support.daemon import LISTING_ONLY, Daemon
from support.daemon_hosts import Hosts
from support.exchange import Exchange
from support.lasting import Lasting, lasting_daemon

from execsvc.sandbox.server import Sandbox

REAL_STARTS = {
    "test_daemon_journal.py",
    "test_daemon_life.py",
    "test_hostile_environment.py",
    "test_in_a_container.py",
    "test_out_of_descriptors.py",
    "test_out_of_processes.py",
    "test_shutdown.py",
    "test_start_refused.py",
    "test_tokens_stay_inside.py",
    "test_under_systemd.py",
}
"""Tests that depend on the begin of a process: none of their daemons is forked from another's imports."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests here: each starts the real program."""
    for item in items:
        if "/daemon/" in str(item.path):
            item.add_marker(pytest.mark.daemon)
            if item.path.name in REAL_STARTS:
                item.add_marker(pytest.mark.real_start)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the health and the end of the log of the daemons of a test that fails."""
    report = yield
    if report.failed:
        arguments = getattr(item, "funcargs", {})
        daemons = [one for one in arguments.values() if isinstance(one, Daemon)]
        report.sections += [section for one in daemons for section in one.sections_of_a_report()]
    return report


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lasting]:
    """A daemon for those tests of a module that leave it as they found it, not started yet."""
    yield from lasting_daemon(tmp_path_factory.mktemp("lasting"))


@pytest.fixture
def daemon(sandbox: Sandbox, exchange: Exchange, tmp_path: Path) -> Iterator[Daemon]:
    """A daemon against the sandbox, not started yet; nothing of it lives on after the test."""
    made = Daemon(sandbox.url, tmp_path)
    yield made
    made.close()


@pytest.fixture
def listing_only(daemon: Daemon) -> None:
    """Let ``daemon`` call nothing of BotService but its listing: it has no word on any order."""
    daemon.environ |= LISTING_ONLY


@pytest.fixture
def hosts(sandbox: Sandbox, exchange: Exchange, tmp_path: Path, shared_url: str) -> Iterator[Hosts]:
    """Two hosts, not started yet; nothing of them lives on after the test."""
    made = Hosts(sandbox, tmp_path, shared_url)
    try:
        yield made
    finally:
        for one in made.all.values():
            print(one.log[-6000:] if one.log_file.exists() else "")
            one.close()
