"""A child of the service that is spoken with in lines, both ways, and replaced when it is silent."""

from __future__ import annotations

import contextlib
import os
import selectors
from collections.abc import Callable
from functools import partial

from loguru import logger

from execsvc.settings import Settings
from execsvc.supervisor.attendant import Attendant
from execsvc.supervisor.child import Child
from execsvc.supervisor.context import Context
from execsvc.supervisor.pipes import Lines

Work = Callable[[Settings, int, int, int], int]
"""``work(settings, lifeline, requests, answers)``: the work of the child, its exit code."""


class Dialogue:
    """``hear`` is called with each line that the child writes.

    ``patience()`` is the number of seconds that it may be silent, ``limit`` the longest line.
    """

    def __init__(
        self,
        context: Context,
        selector: selectors.BaseSelector,
        name: str,
        work: Work,
        hear: Callable[[bytes], None],
        limit: int,
        patience: Callable[[], float],
    ) -> None:
        self._context = context
        self._selector = selector
        self._name = name
        self._work = work
        self._hear = hear
        self._limit = limit
        self._patience = patience
        self._attendant = Attendant(context, name, self._fork)
        self._lines: Lines | None = None
        self._requests: int | None = None
        self._heard_at = context.clock.now

    @property
    def key(self) -> str:
        """What its timers are asked under."""
        return self._attendant.key

    @property
    def alive(self) -> bool:
        """True while there is such a process."""
        return self._attendant.child is not None

    def start(self) -> None:
        """Start the child."""
        self._attendant.start()

    def say(self, line: bytes) -> bool:
        """Write to the child without waiting; False when it has no room, or is not there.

        What is at most ``PIPE_BUF`` (4096) bytes long is written as a whole or not at all.
        """
        if self._requests is None:
            return False
        try:
            return os.write(self._requests, line) == len(line)
        except (BlockingIOError, BrokenPipeError):
            return False

    def replace(self) -> None:
        """Its settings changed: a new child."""
        self._attendant.replace()

    def died(self, child: Child, code: int) -> bool:
        """A child was reaped; False when it was another."""
        if child is not self._attendant.child:
            return False
        self._read()
        self._close()
        self._attendant.ended(code)
        return True

    def due(self) -> None:
        """Look whether it is to be started, or hangs."""
        self._attendant.due()
        if self._attendant.child is None:
            return
        self._read()
        silent_until = self._heard_at + self._patience()
        if silent_until <= self._context.clock.now:
            event = f"{self._name.replace(' ', '_')}_hung"
            logger.bind(event=event).error("the {} process hangs and is replaced", self._name)
            self._attendant.replace()
        self._context.timers.ask(self.key, max(silent_until, self._context.clock.now + 1.0))

    def stop(self) -> None:
        """No more of it."""
        self._attendant.retire()
        if self._attendant.child is not None:
            self._context.children.kill(self._attendant.child)

    def _fork(self) -> Child:
        answers, write = os.pipe2(os.O_CLOEXEC)
        read, requests = os.pipe2(os.O_CLOEXEC)
        context = self._context
        work = partial(self._work, context.settings, context.children.lifeline, read, write)
        try:
            child = context.children.fork(work, {read, write})
        except OSError:
            os.close(answers)
            os.close(requests)
            raise
        finally:
            os.close(write)
            os.close(read)
        os.set_blocking(answers, False)
        os.set_blocking(requests, False)
        self._lines, self._requests = Lines(answers, self._limit), requests
        self._selector.register(answers, selectors.EVENT_READ, self._read)
        self._heard_at = context.clock.now
        context.timers.ask(self.key, self._heard_at + self._patience())
        return child

    def _close(self) -> None:
        if self._lines is not None and self._requests is not None:
            self._quiet()
            self._lines.close()
            os.close(self._requests)
        self._lines = self._requests = None

    def _quiet(self) -> None:
        # Twice is once: the end of file may have been read before the death was heard of.
        with contextlib.suppress(KeyError, ValueError):
            if self._lines is not None:
                self._selector.unregister(self._lines.descriptor)

    def _read(self) -> None:
        if self._lines is None:
            return
        for line in self._lines.read():
            self._heard_at = self._context.clock.now
            self._hear(line)
        if self._lines.ended:
            self._quiet()
