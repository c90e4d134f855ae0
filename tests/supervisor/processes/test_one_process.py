"""The time for which one process of a bot is waited for."""

from __future__ import annotations

import math
import os
from types import SimpleNamespace
from typing import Any, cast

import pytest
from support.facts import bot_process
from support.settings import settings

from execsvc.runner.job import Task
from execsvc.runner.report import LARGEST_LINE, Snapshot, send
from execsvc.settings import Settings
from execsvc.supervisor.bots.bot_process import StopMode
from execsvc.supervisor.bots.fleet import ForkedProcess
from execsvc.supervisor.bots.totals import Totals
from execsvc.supervisor.processes.child import Child
from execsvc.workers.lines import Lines

SETTINGS: Settings = settings(hang_timeout="60", stop_timeout="90")


class Process:
    """A run whose reports a test writes."""

    def __init__(self, task: Task = Task.TRADE) -> None:
        read, self.write = os.pipe2(os.O_NONBLOCK)
        child = cast(Child, SimpleNamespace(pid=1))
        self.runner = ForkedProcess("b1", child, Lines(read, LARGEST_LINE))
        self.run = bot_process(1, None, task=task, began=100.0, reported_at=100.0)

    def listen(self, now: float) -> bool:
        snapshot = self.runner.latest(Totals())
        if snapshot is not None:
            self.run = self.run.with_report(snapshot, now)
        return snapshot is not None

    def says(self, now: float, **report: Any) -> None:
        send(self.write, Snapshot(**report))
        assert self.listen(now)

    def told(self, mode: StopMode, now: float) -> None:
        self.run = self.run.asked_to_stop(mode, now)

    def overdue(self, now: float) -> str | None:
        return self.run.overdue(now, SETTINGS)


@pytest.fixture
def process() -> Process:
    return Process()


def test_silence_counts_from_the_fork_then_from_the_last_report(process: Process) -> None:
    assert process.run.deadline(SETTINGS) == 160.0
    assert process.overdue(159.9) is None
    assert process.overdue(160.0) == "no heartbeat for 60 s"
    process.says(150.0, phase="RUNNING")
    assert process.overdue(209.9) is None
    assert process.overdue(210.0) == "no heartbeat for 60 s"


def test_nonsense_is_no_sign_of_life(process: Process) -> None:
    os.write(process.write, b"nonsense\n{}x\n")
    assert not process.listen(150.0)
    assert process.run.deadline(SETTINGS) == 160.0


def test_a_stop_has_its_time_from_our_signal_on(process: Process) -> None:
    process.told(StopMode.STOP, 110.0)
    process.says(199.0, phase="STOPPING")
    assert process.overdue(199.9) is None
    assert process.overdue(200.0) == "did not stop within 90 s"


def test_a_stop_of_its_own_has_its_time_from_its_word_on(process: Process) -> None:
    process.says(120.0, phase="STOPPING", stopping_on="TERM")
    process.says(205.0, phase="STOPPING", stopping_on="TERM")
    assert process.run.deadline(SETTINGS) == 210.0


def test_a_second_word_does_not_begin_the_stop_anew(process: Process) -> None:
    process.told(StopMode.KEEP, 110.0)
    process.told(StopMode.STOP, 150.0)
    assert process.run.stop_since == 110.0
    assert process.run.stop_mode is StopMode.STOP


def test_waiting_for_the_turn_moves_the_end_of_a_stop(process: Process) -> None:
    process.says(105.0, phase="RUNNING", turn_wait=7.0)
    process.told(StopMode.STOP, 110.0)
    process.says(199.0, phase="STOPPING", turn_wait=37.0)
    assert process.overdue(229.9) is None
    assert process.overdue(230.0) == "did not stop within 90 s"


def test_the_hook_has_a_quarter_of_it(process: Process) -> None:
    process.told(StopMode.STOP, 110.0)
    process.says(111.0, phase="STOPPING", on_stop=True, turn_wait=1.0)
    process.says(133.0, phase="STOPPING", on_stop=True, turn_wait=2.0)
    assert process.overdue(134.4) is None
    assert process.overdue(134.5) == "on_stop took longer than 22.5 s"
    process.says(134.4, phase="STOPPING", on_stop=False, turn_wait=2.0)
    assert process.overdue(134.5) is None


def test_a_liquidation_has_its_time_once_no_orphan_is_in_its_way() -> None:
    process = Process(Task.LIQUIDATE)
    process.says(189.0, phase="BOOTING", last_error="waiting for pid 1")
    assert process.overdue(191.0) is None
    process.says(191.0, phase="STOPPING")
    process.says(280.0, phase="STOPPING")
    assert process.overdue(280.9) is None
    assert process.overdue(281.0) == "did not stop within 90 s"


def test_a_check_has_its_time_whatever_it_says() -> None:
    process = Process(Task.CHECK)
    process.says(159.0, phase="BOOTING")
    assert process.overdue(160.0) == "no heartbeat for 60 s"


def test_whoever_was_killed_is_not_judged_again(process: Process) -> None:
    process.run = process.run._replace(killed_for="hung")
    assert process.overdue(1e9) is None
    assert process.run.deadline(SETTINGS) == math.inf
