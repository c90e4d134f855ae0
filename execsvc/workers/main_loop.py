"""The main loop of a worker: one step of its work, then a wait, until the work or the supervisor ends."""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

import setproctitle

from execsvc import logs
from execsvc.errors import StopRequested
from execsvc.exit_codes import DONE
from execsvc.settings import Settings
from execsvc.workers.channel import Channel, Pipes


class Worker(Protocol):
    """The work of a worker, in steps."""

    def step(self) -> float | None:
        """Take the requests, do what is due; returns the monotonic time of the next step, None for none."""
        ...


def run_worker(
    settings: Settings, title: str, pipes: Pipes, make: Callable[[Channel], Worker]
) -> int:
    """Run the worker that ``make`` returns, until its work or the supervisor ends. Returns the exit code."""
    begin_worker(settings, title)
    channel = Channel(pipes)
    with suppress(StopRequested, BrokenPipeError):
        worker = make(channel)
        while (due := worker.step()) is not None:
            channel.wait(due)
    return DONE


def begin_worker(settings: Settings, title: str) -> None:
    """Set title and log of this process, and unblock its signals."""
    set_title(title)
    logs.setup(settings.log_level, settings.log_format)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def set_title(title: str) -> None:
    """Show ``title`` as the name of this process, in ``ps`` for example."""
    setproctitle.setproctitle(f"execsvc: {title}")
