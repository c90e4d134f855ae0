"""The forks of the processes that are queued for bots, many in one turn of the loop."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial

from execsvc.clock import monotonic
from execsvc.clock import now as utc_now
from execsvc.model.bot import BotSpec
from execsvc.runner.job import Job, Task
from execsvc.runner.report import LARGEST_LINE
from execsvc.supervisor.bots.bot import Bot
from execsvc.supervisor.bots.bot_process import BotProcess
from execsvc.supervisor.bots.bots import Bots
from execsvc.supervisor.bots.facts import NotStarted, Started
from execsvc.supervisor.bots.fleet import Fleet, ForkedProcess, Runner
from execsvc.supervisor.bots.records import Records
from execsvc.supervisor.bots.spare import Spare, log_spare_used
from execsvc.supervisor.processes.child import Child
from execsvc.supervisor.processes.context import ProcessContext
from execsvc.workers.lines import Lines

BATCH_SECONDS = 0.1
"""Seconds that one turn of the loop may spend on forks."""


@dataclass
class _Start:
    """A process that is wanted; ``error`` is the reason why there is no pipe for its reports."""

    bot: Bot
    task: Task
    row: BotSpec | None
    read: int = -1
    error: OSError | None = None


class Launcher:
    """Forks the processes of bots. ``run`` is the work of a runner, in a process of its own."""

    def __init__(
        self,
        context: ProcessContext,
        records: Records,
        fleet: Fleet,
        bots: Bots,
        run: Runner,
        reserve: Spare | None = None,
    ) -> None:
        self._context = context
        self._records = records
        self._fleet = fleet
        self._bots = bots
        self._run = run
        self._reserve = reserve
        self._start_name = secrets.token_hex(8)
        """The name of this start of the service."""

    def launch(self) -> bool:
        """Fork some of the queued processes; True when more are left for the next turn.

        The bots are changed after the last fork, not in between (:meth:`Children.fork_all`).
        """
        if not self._fleet.queue:
            return False
        starts: list[_Start] = []
        forked = iter(self._context.children.fork_all(self._works(starts)))
        for start in starts:
            child = start.error or next(forked)
            if isinstance(child, OSError):
                child = self._from_reserve(start, child)
            if isinstance(child, Child):
                self._begun(start, child)
            else:
                if start.read >= 0:
                    os.close(start.read)
                self._bots.apply(start.bot.bot_id, NotStarted(start.task, child.strerror))
        return bool(self._fleet.queue)

    def _works(self, starts: list[_Start]) -> Iterator[tuple[Callable[[], int], Collection[int]]]:
        """The processes to be forked next; the descriptors of each are made when its turn comes."""
        until = monotonic() + BATCH_SECONDS
        queued: set[str] = set()
        while self._fleet.queue and monotonic() < until:
            bot_id = self._fleet.queue.popleft()
            bot = self._fleet.bots.get(bot_id)
            if bot is None or bot_id in queued:
                continue
            queued.add(bot_id)
            for start in _wanted(bot):
                starts.append(start)
                try:
                    start.read, write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
                except OSError as error:
                    start.error = error
                    continue
                job = self._job(start)
                try:
                    yield (
                        partial(
                            self._run,
                            job,
                            self._context.settings,
                            self._context.children.lifeline,
                            write,
                        ),
                        {write, *self._inherited(start)},
                    )
                finally:
                    os.close(write)

    def _inherited(self, start: _Start) -> set[int]:
        """The descriptors without which the process cannot work on its account."""
        binding = start.bot.live_binding(start.task)
        return set() if binding is None else self._records.accounts.to_inherit(binding.key_id)

    def _job(self, start: _Start) -> Job:
        bot = start.bot
        return Job(
            bot_id=bot.bot_id,
            name=bot.name,
            task=start.task,
            spec=start.row,
            booting=bot.desired.booting,
            start=self._start_name,
        )

    def _from_reserve(self, start: _Start, error: OSError) -> Child | OSError:
        """The process that is kept for a position that has to be closed; else ``error``."""
        self._context.children.refused = error.strerror
        if start.task is not Task.LIQUIDATE or self._reserve is None:
            return error
        taken = self._reserve.take(self._job(start))
        if taken is None:
            return error
        if start.read >= 0:
            os.close(start.read)
        child, start.read = taken
        log_spare_used(start.bot, error.strerror)
        return child

    def _begun(self, start: _Start, child: Child) -> None:
        bot_id, lines, now = (
            start.bot.bot_id,
            Lines(start.read, LARGEST_LINE),
            self._context.clock.now,
        )
        try:
            self._fleet.reports.add(lines, bot_id)
        except OSError as error:  # a process without a pipe for its reports is of no use
            self._context.children.kill(child)
            lines.close()
            self._bots.apply(bot_id, NotStarted(start.task, error.strerror))
            return
        self._fleet.processes[child.pid] = ForkedProcess(bot_id, child, lines)
        process = BotProcess(child.pid, start.task, start.row, now, utc_now(), reported_at=now)
        self._bots.apply(bot_id, Started(process))


def _wanted(bot: Bot) -> list[_Start]:
    """The processes that are to be forked for ``bot``."""
    processes, starts = bot.processes, []
    if processes.queued is not None and processes.owner is None:
        row = bot.desired.row if processes.queued is Task.TRADE else None
        starts.append(_Start(bot, processes.queued, row))
    if processes.to_check is not None and processes.check is None:
        starts.append(_Start(bot, Task.CHECK, processes.to_check))
    return starts
