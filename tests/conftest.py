"""Fixtures for all tests."""

from __future__ import annotations

import functools
import gc
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import setproctitle
from logging_journald import JournaldTransport
from loguru import logger
from support import environment, in_memory
from support.exchange import Exchange
from support.fake_journal import FakeJournal
from support.running_order import spread
from support.sightings import Recorder, lacking
from support.starting import STARTS

from execsvc import masking
from execsvc.logs.journal import Journal
from execsvc.logs.output import Output
from execsvc.logs.render import as_prefixed_line
from execsvc.logs.standard_error import StandardError
from execsvc.sandbox.server import Sandbox

pytest_plugins = ("support.collecting", "support.cpu_time", "support.ending", "support.postgresql")

# A busy machine is no failure: neither an example nor its generation has a deadline.
PATIENT = hypothesis.settings(
    deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow], database=None
)
# The same examples in every run, so that a run which is red has a change of ours to blame; other
# examples with --hypothesis-profile=explore.
hypothesis.settings.register_profile("execsvc", PATIENT, derandomize=True)
hypothesis.settings.register_profile("explore", PATIENT, derandomize=False, print_blob=True)
hypothesis.settings.load_profile("execsvc")


FORKING = {"runner": "bots", "supervisor": "service", "control_plane": "plane"}
"""Folders, and in each the fixture that forks: what uses it is none of the fast tests."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a run be asked for starts of the program by an interpreter of their own."""
    parser.addoption(
        "--real-starts", action="store_true", help="fork no start of the program, and test on disk"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Nothing of the caller's environment, whoever started pytest, and in each worker."""
    # setproctitle finds the place of a title by the environment, which is changed from here on.
    setproctitle.getproctitle()
    try:
        environment.enter()
    except RuntimeError as error:
        raise pytest.UsageError(str(error)) from None
    if not config.getoption("real_starts"):
        in_memory.use()
    STARTS.configure(config)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Start the program as the test asks for."""
    STARTS.choose(item)


def pytest_unconfigure() -> None:
    """Leave no process behind."""
    STARTS.close()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark as slow what forks the program's processes or starts a server; begin with what takes long."""
    for item in items:
        fixture = FORKING.get(_package(item.path))
        fixtures = getattr(item, "fixturenames", ())
        if (fixture is not None and fixture in fixtures) or "postgresql" in fixtures:
            item.add_marker(pytest.mark.slow)
    items[:] = spread(items, getattr(config, "workerinput", {}).get("workercount", 1))


def pytest_collection_finish() -> None:
    """Let no collection of garbage look at the program and the tests, which live to the end of the run."""
    gc.freeze()


@functools.cache
def _package(path: Path) -> str:
    """The folder of ``tests/`` that a file is in, at any depth; the file's name if in none."""
    return path.relative_to(Path(__file__).parent).parts[0]


@pytest.fixture(autouse=True)
def no_secrets() -> Iterator[None]:
    """Forget the secrets of one test before the next one."""
    yield
    masking.forget_secrets()


@pytest.fixture(autouse=True)
def says_what_it_is_marked_with(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test marked ``says("some_event")`` fails when the real code did not say that event in it."""
    names = [name for mark in request.node.iter_markers("says") for name in mark.args]
    if not names:
        yield
        return
    recorder = Recorder(request.getfixturevalue("tmp_path"))
    yield
    recorder.close()
    seen = recorder.all()
    assert [wrong for wrong in (lacking(name, seen) for name in names) if wrong] == []


@pytest.fixture
def disk() -> Iterator[Path]:
    """A directory that outlives a reboot, as that of a service has to: ``tmp_path`` may be in memory."""
    with tempfile.TemporaryDirectory(prefix="execsvc-", dir="/var/tmp") as folder:
        yield Path(folder)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A running sandbox in this process, on a free port, without bots."""
    running = Sandbox()
    running.start()
    yield running
    running.stop()


@pytest.fixture
def exchange(sandbox: Sandbox) -> Exchange:
    """The sandbox's exchange: a user with 10 000 USDT and one BTC of their own, price 50 000."""
    seen = Exchange(sandbox.url)
    seen.fund()
    seen.market(price="50000")
    return seen


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeJournal]:
    """A journal, and this process set up to log to it."""
    fake = FakeJournal(tmp_path / "socket")
    monkeypatch.setattr(JournaldTransport, "SOCKET_PATH", fake.path)
    output = Output([Journal(JournaldTransport), StandardError(as_prefixed_line)])
    logger.remove()
    handler = logger.add(
        lambda message: output.write(message.record), format=lambda _: "", catch=False
    )
    yield fake
    logger.remove(handler)
    logger.add(sys.stderr)
    fake.close()
