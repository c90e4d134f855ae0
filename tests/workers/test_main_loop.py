"""The main loop of a worker: how it begins, goes on and ends."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
import setproctitle
from support.settings import settings

from execsvc import logs
from execsvc.clock import monotonic
from execsvc.exit_codes import DONE
from execsvc.workers.channel import Channel, Pipes
from execsvc.workers.main_loop import run_worker


class Steps:
    """A worker that is due at once for as many steps as were given, and then ends."""

    def __init__(self, count: int, act: Callable[[], None] = lambda: None) -> None:
        self.left = count
        self._act = act

    def step(self) -> float | None:
        self._act()
        self.left -= 1
        return monotonic() if self.left else None


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, tuple[int, int]]]:
    monkeypatch.setattr(logs, "setup", lambda *_: None)  # pytest has its own
    monkeypatch.setattr(setproctitle, "setproctitle", lambda _: None)
    made = {name: os.pipe2(os.O_CLOEXEC) for name in ("lifeline", "requests", "answers")}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    yield made
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    for read, write in made.values():
        for descriptor in (read, write):
            with suppress(OSError):  # a test has closed it
                os.close(descriptor)


def run(ends: dict[str, tuple[int, int]], make: Callable[[Channel], Steps]) -> int:
    pipes = Pipes(ends["lifeline"][0], ends["requests"][0], ends["answers"][1])
    return run_worker(settings(), "test", pipes, make)


def test_worker_ends_after_its_last_step(ends: dict[str, tuple[int, int]]) -> None:
    worker = Steps(3)
    assert run(ends, lambda _: worker) == DONE
    assert worker.left == 0
    assert os.read(ends["answers"][0], 10) == b"\n", "a heartbeat"


@pytest.mark.parametrize("end", ["lifeline", "answers"])
def test_worker_ends_when_the_supervisor_is_gone(
    ends: dict[str, tuple[int, int]], end: str
) -> None:
    os.close(ends["lifeline"][1] if end == "lifeline" else ends["answers"][0])
    worker = Steps(-1)
    assert run(ends, lambda _: worker) == DONE
    assert worker.left == -2, "one step"


def test_worker_that_fails_fails_loudly(ends: dict[str, tuple[int, int]]) -> None:
    def fail() -> None:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError):
        run(ends, lambda _: Steps(1, fail))


def test_signals_are_unblocked_before_the_first_step(ends: dict[str, tuple[int, int]]) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    blocked: list[set[signal.Signals | int]] = []
    run(ends, lambda _: Steps(1, lambda: blocked.append(signal.pthread_sigmask(0, []))))
    assert signal.SIGTERM not in blocked[0]
