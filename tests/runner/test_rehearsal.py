"""A rehearsal in the supervisor's process: it does what bots do, and leaves no trace."""

from __future__ import annotations

import itertools
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from loguru import logger
from support import processes

from execsvc.runner import rehearsal
from execsvc.runner.process import carry_out
from execsvc.runner.report import EndKind
from execsvc.strategies.registry import BUILT_IN
from execsvc.strategies.rsi_basic.strategy import RsiBasic

LONGEST = rehearsal.LONGEST
OTHERS = sorted({strategy.id for strategy in BUILT_IN.values()} - {"test_trading_v1"})
"""The built-in strategies that do not trade at once, in the order of their rehearsals."""
STRATEGIES = 1 + len(OTHERS)
"""The number of built-in strategies."""


def descriptors() -> set[str]:
    folder = Path("/proc/self/fd")
    return {str(path.readlink()) for path in folder.iterdir() if path.is_symlink()}


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """The result of each rehearsal: strategy, ticks, errors, tracked, kind of its end."""
    seen: list[tuple[Any, ...]] = []

    def watched(job: Any, settings: Any, store: Any, services: Any) -> Any:
        end = carry_out(job, settings, store, services)
        snapshot = services.reporter.snapshot
        tracked = snapshot.position["tracked"]
        seen.append((job.bot_id, snapshot.ticks, snapshot.last_error, tracked, end.kind))
        return end

    monkeypatch.setattr(rehearsal, "carry_out", watched)
    return seen


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No limit of time: the machine that runs the tests may be busy."""
    monkeypatch.setattr(rehearsal, "LONGEST", float("inf"))
    monkeypatch.setattr(rehearsal, "READ_TIMEOUT", 60.0)


@pytest.mark.usefixtures("patient")
def test_each_strategy_ticks_and_one_trades(played: list[tuple[Any, ...]]) -> None:
    rehearsal.rehearse()
    assert played == [
        ("test_trading_v1", rehearsal.TICKS, None, "0.02", EndKind.HELD),
        *((one, rehearsal.TICKS, None, "0", EndKind.HELD) for one in OTHERS),
    ]


@pytest.mark.usefixtures("patient")
@pytest.mark.says("rehearsal_failed")
def test_rehearsal_of_refused_parameters_ends_no_other(
    played: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RsiBasic, "example_params", {"period": 0})
    rehearsal.rehearse()
    assert [row[0] for row in played] == [
        "test_trading_v1",
        *(one for one in OTHERS if one != RsiBasic.id),
    ]


@pytest.mark.usefixtures("patient")
def test_it_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    lines: list[str] = []
    sink = logger.add(lines.append, level="TRACE")
    before = descriptors()
    before_it = set(processes.children(os.getpid()))
    rehearsal.rehearse()
    assert list(tmp_path.iterdir()) == []
    assert not set(processes.children(os.getpid())) - before_it
    assert {path for path in descriptors() - before if "execsvc" in path} == set()
    assert lines == []
    logger.bind(event="x").info("the log is on again")
    logger.remove(sink)
    assert len(lines) == 1


@pytest.mark.says("rehearsal_failed")
@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n"])
def test_rehearsal_whose_stage_fails_ends_with_the_first_tick(
    answer: bytes, played: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("execsvc.runner.stub_exchange._answer_to", lambda request: answer)
    monkeypatch.setattr(rehearsal, "READ_TIMEOUT", 0.2)
    monkeypatch.setattr(rehearsal, "LONGEST", float("inf"))
    rehearsal.rehearse()
    assert [(row[1], row[3]) for row in played] == [(1, "0")] * STRATEGIES
    assert all(row[2] for row in played)


@pytest.mark.usefixtures("patient")
def test_rehearsal_on_a_busy_machine_makes_every_tick(
    played: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """0.4 s go by from each tick to the next, some hundred times what a machine at rest needs."""
    passing = itertools.count(1000.0, 0.4)
    monkeypatch.setattr(rehearsal, "LONGEST", LONGEST)
    monkeypatch.setattr(rehearsal, "monotonic", lambda: next(passing))
    rehearsal.rehearse()
    assert [row[1:3] for row in played] == [(rehearsal.TICKS, None)] * STRATEGIES


@pytest.mark.usefixtures("patient")
@pytest.mark.says("rehearsal_failed")
def test_rehearsal_that_does_not_get_on_is_cut_at_its_limit(
    played: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each tick takes a quarter of what a whole rehearsal may delay the start."""
    passing = itertools.count(1000.0, LONGEST / 4)
    monkeypatch.setattr(rehearsal, "LONGEST", LONGEST)
    monkeypatch.setattr(rehearsal, "monotonic", lambda: next(passing))
    rehearsal.rehearse()
    assert [row[1:3] for row in played] == [(4, None), *[(1, None)] * (STRATEGIES - 1)]


@pytest.mark.says("rehearsal_failed")
def test_a_machine_without_room_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> Any:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(tempfile, "mkdtemp", full)
    rehearsal.rehearse()


@pytest.mark.usefixtures("patient")
def test_a_long_way_to_the_temporary_files(
    tmp_path: Path, played: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    far = tmp_path / ("x" * 120)
    far.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(far))
    rehearsal.rehearse()
    assert [row[1] for row in played] == [rehearsal.TICKS] * STRATEGIES
