"""The channel to a worker: requests down one pipe, answers up another, in lines."""

from __future__ import annotations

import os
import selectors
import signal
from collections.abc import Callable, Collection

from loguru import logger

from execsvc.supervisor.processes.child import Child
from execsvc.supervisor.processes.context import ProcessContext
from execsvc.supervisor.processes.restarting_process import RestartingProcess
from execsvc.workers.channel import LARGEST_LINE, Pipes
from execsvc.workers.lines import Lines

Work = Callable[[Pipes], int]
"""The child's work, on its ends of the pipes; returns its exit code."""


def _ignore(_: bytes) -> None:
    """Drop a line of a worker that only sends heartbeats."""


def _do_nothing() -> None:
    """Do nothing at an end of the worker."""


class WorkerChannel:
    """A worker with its pipes, replaced when it dies or hangs."""

    def __init__(
        self,
        context: ProcessContext,
        selector: selectors.BaseSelector,
        name: str,
        work: Work,
        receive: Callable[[bytes], None] = _ignore,
        *,
        largest_line: int = LARGEST_LINE,
        longest_silence: float = 0.0,
        keep: Collection[int] = (),
        on_end: Callable[[], None] = _do_nothing,
    ) -> None:
        """Start no process. The worker does ``work``, and keeps the descriptors ``keep`` besides its pipes.

        Each line of the worker is handed to ``receive``, except for empty ones, which are heartbeats, and
        those of more than ``largest_line`` bytes. The worker hangs when it is silent for HANG_TIMEOUT, or
        for ``longest_silence`` seconds where that is more. ``on_end`` is called after each end of a worker.
        """
        self._context = context
        self._selector = selector
        self._name = name
        self._work = work
        self._receive = receive
        self._largest_line = largest_line
        self._silence_allowed = longest_silence
        self._keep = frozenset(keep)
        self._on_end = on_end
        self._process = RestartingProcess(context, name, self._fork)
        self._lines: Lines | None = None
        self._requests: int | None = None
        self._last_line_at = context.clock.now

    @property
    def key(self) -> str:
        """The key of its timers."""
        return self._process.key

    @property
    def gone(self) -> bool:
        """True while no such process lives."""
        return self._process.child is None

    def start(self) -> None:
        """Start the child."""
        self._process.start()

    def request(self, line: bytes) -> bool:
        """Write ``line`` to the child, at most 4096 bytes; False if it does not take it at once."""
        if self._requests is None:
            return False
        try:
            return os.write(self._requests, line) == len(line)
        except (BlockingIOError, BrokenPipeError):
            return False  # it has many requests unread, or is about to be replaced

    def replace(self) -> None:
        """Replace the child by a new one, as its settings changed."""
        self._process.replace()

    def died(self, child: Child, code: int) -> bool:
        """Take note that ``child`` was reaped; False when it is another."""
        if child is not self._process.child:
            return False
        self._read()  # its last lines
        self._close()
        self._process.ended(code)
        self._on_end()
        return True

    def due(self) -> None:
        """Start the child if it is time to, replace the child if it hangs."""
        self._process.due()
        if self._process.child is None:
            return
        self._read()
        silent_until = self._last_line_at + self._longest_silence
        if silent_until <= self._context.clock.now:
            logger.bind(event="child_hung").error(
                "the {} process hangs and is replaced", self._name
            )
            self._process.replace()
        self._context.timers.ask(self.key, max(silent_until, self._context.clock.now + 1.0))

    def finish(self) -> None:
        """Let the child end by itself, at the end of its requests."""
        self._process.retire()
        if self._requests is not None:
            os.close(self._requests)
            self._requests = None

    def terminate(self, signum: signal.Signals) -> None:
        """Let the child end by itself, on the signal ``signum``."""
        self._process.retire()
        if self._process.child is not None:
            self._context.children.send_signal(self._process.child, signum)

    def stop(self) -> None:
        """Kill the child, for good."""
        self._process.retire()
        if self._process.child is not None:
            self._context.children.kill(self._process.child)

    @property
    def _longest_silence(self) -> float:
        return max(self._context.settings.hang_timeout, self._silence_allowed)

    def _fork(self) -> Child:
        answers, write = os.pipe2(os.O_CLOEXEC)
        try:
            read, requests = os.pipe2(os.O_CLOEXEC)
        except OSError:
            # The start is tried again and again: a pipe left open each time would use up the rest.
            os.close(answers)
            os.close(write)
            raise
        context, work = self._context, self._work
        pipes = Pipes(context.children.lifeline, read, write)
        try:
            child = context.children.fork(lambda: work(pipes), {read, write, *self._keep})
        except OSError:
            os.close(answers)
            os.close(requests)
            raise
        finally:
            os.close(write)
            os.close(read)
        os.set_blocking(answers, False)
        os.set_blocking(requests, False)
        self._lines, self._requests = Lines(answers, self._largest_line), requests
        self._selector.register(answers, selectors.EVENT_READ, self._read)
        self._last_line_at = context.clock.now
        context.timers.ask(self.key, self._last_line_at + self._longest_silence)
        return child

    def _close(self) -> None:
        if self._lines is not None:
            self._quiet()
            self._lines.close()
        if self._requests is not None:
            os.close(self._requests)
        self._lines = self._requests = None

    def _quiet(self) -> None:
        if self._lines is not None and self._lines.descriptor in self._selector.get_map():
            self._selector.unregister(self._lines.descriptor)

    def _read(self) -> None:
        if self._lines is None:
            return
        for line in self._lines.read():
            self._last_line_at = self._context.clock.now
            if line:
                self._receive(line)
        if self._lines.ended:
            self._quiet()
