"""The supervisor's end of a worker's channel, with the worker's ends in the hands of the test."""

from __future__ import annotations

import errno
import os
import selectors
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from support.settings import settings

from execsvc.supervisor.processes.child import Child, Children
from execsvc.supervisor.processes.context import ProcessContext
from execsvc.supervisor.processes.worker_channel import WorkerChannel
from execsvc.workers.channel import Pipes

HANG = 30.0


class Forks(Children):
    """Forks nothing: each worker is its pipes, which the test has."""

    def __init__(self) -> None:
        super().__init__()
        self.pipes: list[tuple[int, ...]] = []
        self.killed: list[Child] = []

    def fork(self, work: Callable[[], int], keep: Collection[int]) -> Child:
        work()
        return cast(Child, SimpleNamespace(pid=len(self.pipes)))

    def take(self, pipes: Pipes) -> int:
        """The work of the worker: its ends of the pipes stay open in this process."""
        self.pipes.append((os.dup(pipes.requests), os.dup(pipes.answers)))
        return 0

    def kill(self, child: Child) -> None:
        self.killed.append(child)


class Supervisor:
    """A supervisor with one worker."""

    def __init__(self, folder: Path) -> None:
        self.forks = Forks()
        made = settings(hang_timeout=str(HANG))
        self.context = ProcessContext(made, cast(Any, self.forks))
        self.selector = selectors.DefaultSelector()
        self.received: list[bytes] = []
        self.ends = 0
        self.channel = WorkerChannel(
            self.context,
            self.selector,
            "test",
            self.forks.take,
            self.received.append,
            largest_line=10,
            on_end=self._note_end,
        )
        self.channel.start()

    def _note_end(self) -> None:
        self.ends += 1

    def answer(self, text: bytes) -> None:
        """The latest worker writes this, and the loop turns."""
        os.write(self.forks.pipes[-1][1], text)
        for key, _ in self.selector.select(0):
            key.data()

    def asked(self) -> bytes:
        """All that the latest worker was asked."""
        os.set_blocking(self.forks.pipes[-1][0], False)
        return os.read(self.forks.pipes[-1][0], 65536)

    def pass_time(self, seconds: float) -> None:
        self.context.clock.now += seconds
        for _ in self.context.timers.due(self.context.clock.now):
            self.channel.due()

    def worker_dies(self) -> None:
        child = self.channel._process.child
        assert child is not None
        for end in self.forks.pipes[-1]:
            os.close(end)
        assert self.channel.died(child, -9)


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    made = Supervisor(tmp_path)
    yield made
    if not made.channel.gone:
        made.channel.stop()
        made.worker_dies()
    made.selector.close()


def test_lines_are_received_one_by_one_and_heartbeats_are_not(supervisor: Supervisor) -> None:
    supervisor.answer(b"\none\n\ntw")
    supervisor.answer(b"o\n\n")
    assert supervisor.received == [b"one", b"two"]


def test_line_that_is_too_long_is_dropped(supervisor: Supervisor) -> None:
    supervisor.answer(b"x" * 11 + b"\nnext\n")
    assert supervisor.received == [b"next"]


def test_worker_that_sends_heartbeats_is_not_replaced_and_a_silent_one_is(
    supervisor: Supervisor,
) -> None:
    for _ in range(5):
        supervisor.answer(b"\n")
        supervisor.pass_time(HANG - 1)
    assert supervisor.forks.killed == []
    supervisor.pass_time(1)
    assert len(supervisor.forks.killed) == 1


def test_worker_that_died_has_its_last_line_received_and_a_successor(
    supervisor: Supervisor,
) -> None:
    os.write(supervisor.forks.pipes[-1][1], b"last\n")
    supervisor.worker_dies()
    assert supervisor.received == [b"last"]
    assert supervisor.ends == 1
    assert supervisor.channel.gone
    assert not supervisor.channel.request(b"request\n")
    supervisor.pass_time(1)
    assert supervisor.channel.request(b"request\n")
    assert supervisor.asked() == b"request\n"


def test_end_of_another_child_is_not_taken_for_that_of_the_worker(supervisor: Supervisor) -> None:
    assert not supervisor.channel.died(cast(Child, SimpleNamespace(pid=99)), 0)
    assert supervisor.ends == 0
    assert not supervisor.channel.gone


def test_worker_that_is_to_finish_sees_the_end_of_the_requests_and_gets_no_successor(
    supervisor: Supervisor,
) -> None:
    supervisor.channel.finish()
    assert supervisor.asked() == b""
    supervisor.worker_dies()
    supervisor.pass_time(60)
    assert supervisor.channel.gone


def test_channel_that_gets_one_pipe_of_two_leaves_none_open(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor.worker_dies()
    before = sorted(Path("/proc/self/fd").iterdir())
    made, pipe2 = [], os.pipe2

    def one_of_two(flags: int) -> tuple[int, int]:
        made.append(flags)
        if len(made) % 2 == 0:
            raise OSError(errno.EMFILE, "Too many open files")
        return pipe2(flags)

    monkeypatch.setattr(os, "pipe2", one_of_two)
    supervisor.pass_time(60.0)
    assert len(made) == 2
    assert sorted(Path("/proc/self/fd").iterdir()) == before
    monkeypatch.undo()
    supervisor.pass_time(60.0)
    assert not supervisor.channel.gone, "it is tried again"
