"""A process that is forked beforehand and waits: one position can be closed when nothing can be forked.

The process has everything that a liquidation needs from the machine: a pid, and the descriptors of the
pipe for its reports. Once it is used another one is forked as soon as that is possible.
"""

from __future__ import annotations

import os
import pickle
import select
from typing import NamedTuple

import setproctitle

from execsvc import logs
from execsvc.runner.job import Job
from execsvc.settings import Settings
from execsvc.supervisor.bots.bot import Bot
from execsvc.supervisor.bots.fleet import Runner
from execsvc.supervisor.processes.child import Child
from execsvc.supervisor.processes.context import ProcessContext
from execsvc.supervisor.processes.restarts import Restarts

KEY = "\0spare"
"""The key of its timers."""
NO_PROCESS = 5.0
"""Seconds until a fork that failed is tried again."""
_LONGEST_DELAY = 10.0
_CHUNK = 65536


class _Waiting(NamedTuple):
    """The process, the write end of the pipe for its job, and the read end of the one for its reports."""

    child: Child
    jobs: int
    reports: int


class Spare:
    """The process that waits, if there is one."""

    def __init__(self, context: ProcessContext, run: Runner) -> None:
        self._context = context
        self._run = run
        self._waiting: _Waiting | None = None
        self._restarts = Restarts(None, 60.0, _LONGEST_DELAY)
        self._not_before = 0.0
        self._retired = False

    def renew(self) -> None:
        """Fork the process, if it is missing and may be forked again; try later where that fails."""
        now = self._context.clock.now
        if self._waiting is not None or self._retired:
            return
        if now >= self._not_before:
            try:
                self._waiting = self._fork()
                return
            except OSError as error:
                # Not logged: a bot that needs a process logs it, and /health shows that none is kept.
                self._context.children.refused = error.strerror
                self._not_before = now + NO_PROCESS
        self._context.timers.ask(KEY, self._not_before)

    def take(self, job: Job) -> tuple[Child, int] | None:
        """Let the process do ``job``. Returns it and the read end of its reports, None without one."""
        waiting, self._waiting = self._waiting, None
        if waiting is None:
            return None
        try:
            _write_all(waiting.jobs, pickle.dumps((job, self._context.settings)))
        except BrokenPipeError:
            os.close(waiting.reports)  # the process has died, and will be reaped
            return None
        finally:
            os.close(waiting.jobs)
            self._context.timers.ask(KEY, self._context.clock.now + NO_PROCESS)
        return waiting.child, waiting.reports

    def died(self, child: Child, code: int) -> bool:
        """Take note that ``child`` was reaped; False when it is another, or works for a bot."""
        waiting = self._waiting
        if waiting is None or child is not waiting.child:
            return False
        self._waiting = None
        os.close(waiting.jobs)
        os.close(waiting.reports)
        now = self._context.clock.now
        self._not_before = now + (self._restarts.crashed(now) or 0.0)
        self.renew()
        return True

    def stop(self) -> None:
        """Kill the process, for good."""
        self._retired = True
        if self._waiting is not None:
            self._context.children.kill(self._waiting.child)

    def _fork(self) -> _Waiting:
        context = self._context
        wait, jobs = os.pipe2(os.O_CLOEXEC)
        try:
            reports, report = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            os.close(wait)
            os.close(jobs)
            raise
        run, lifeline = self._run, context.children.lifeline
        try:
            child = context.children.fork(
                lambda: _wait_for_job(run, lifeline, wait, report), {wait, report}
            )
        except OSError:
            os.close(jobs)
            os.close(reports)
            raise
        finally:
            os.close(wait)
            os.close(report)
        return _Waiting(child, jobs, reports)


def log_spare_used(bot: Bot, why: str | None) -> None:
    """Write to the log that the process that waited closes the position of ``bot``."""
    bot.log.bind(event="fork_failed").error(
        "no process can be started: {}; the one that was kept for this closes its position", why
    )


def _wait_for_job(run: Runner, lifeline: int, jobs: int, report: int) -> int:
    """Wait for the first job and do it, in the process that was forked. Returns the exit code.

    Signals stay blocked until then, and the job gets one that came meanwhile.
    """
    setproctitle.setproctitle("execsvc: spare")
    poll = select.poll()
    poll.register(lifeline, select.POLLIN)
    poll.register(jobs, select.POLLIN)
    if any(descriptor == lifeline for descriptor, _ in poll.poll()):
        return 0
    data = b""
    while part := os.read(jobs, _CHUNK):
        data += part
    os.close(jobs)
    if not data:
        return 0
    job, settings = _unpacked(data)
    logs.setup(settings.log_level, settings.log_format)
    return run(job, settings, lifeline, report)


def _unpacked(data: bytes) -> tuple[Job, Settings]:
    """The job that :meth:`Spare.take` wrote; no other process has the other end of the pipe."""
    unpacked: tuple[Job, Settings] = pickle.loads(data)  # noqa: S301 - our own parent wrote it
    return unpacked


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
