"""The forks of the processes that are queued for bots, many in one turn of the loop."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from functools import partial

from execsvc.clock import monotonic
from execsvc.model.bot import BotSpec
from execsvc.runner.job import Job, Task
from execsvc.runner.report import LARGEST_LINE
from execsvc.supervisor.bots import steps
from execsvc.supervisor.bots.bot import Bot
from execsvc.supervisor.bots.context import Context
from execsvc.supervisor.bots.run import Run
from execsvc.supervisor.bots.spare import say_used
from execsvc.supervisor.processes.child import Child
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


def launch(context: Context) -> bool:
    """Fork some of the queued processes; True when more are left for the next turn.

    The records are updated after the last fork, not in between (:meth:`Children.fork_all`).
    """
    if not context.queue:
        return False
    starts: list[_Start] = []
    forked = iter(context.children.fork_all(_works(context, starts)))
    for start in starts:
        child = start.error or next(forked)
        if isinstance(child, OSError):
            child = _from_reserve(context, start, child)
        if isinstance(child, Child):
            _begun(context, start, child)
        else:
            if start.read >= 0:
                os.close(start.read)
            _not_begun(context, start, child)
    return bool(context.queue)


def _works(
    context: Context, starts: list[_Start]
) -> Iterator[tuple[Callable[[], int], Collection[int]]]:
    """The processes to be forked next; the descriptors of each are made when its turn comes."""
    until = monotonic() + BATCH_SECONDS
    while context.queue and monotonic() < until:
        bot = context.bots.get(context.queue.popleft())
        for start in _wanted(bot) if bot is not None else ():
            starts.append(start)
            try:
                start.read, write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
            except OSError as error:
                start.error = error
                continue
            job = _job(context, start)
            try:
                yield (
                    partial(context.run, job, context.settings, context.children.lifeline, write),
                    {write, *_inherited(context, start)},
                )
            finally:
                os.close(write)


def _inherited(context: Context, start: _Start) -> set[int]:
    """The descriptors without which the process cannot work on its account."""
    binding = start.bot.live_binding(start.task)
    return set() if binding is None else context.accounts.to_inherit(binding.key_id)


def _wanted(bot: Bot) -> list[_Start]:
    """The processes that are queued for ``bot``, which is not queued any more."""
    starts = []
    if bot.process.queued is not None and bot.process.run is None:
        task = bot.process.queued
        bot.put(replace(bot.process, queued=None))
        starts.append(_Start(bot, task, bot.desired.row if task is Task.TRADE else None))
    if bot.process.to_check is not None and bot.process.check is None:
        row = bot.process.to_check
        bot.put(replace(bot.process, to_check=None))
        starts.append(_Start(bot, Task.CHECK, row))
    return starts


def _job(context: Context, start: _Start) -> Job:
    bot = start.bot
    return Job(
        bot_id=bot.bot_id,
        name=bot.name,
        task=start.task,
        spec=start.row,
        booting=bot.desired.booting,
        start=context.start,
    )


def _from_reserve(context: Context, start: _Start, error: OSError) -> Child | OSError:
    """The process that is kept for a position that has to be closed; else ``error``."""
    context.children.refused = error.strerror
    if start.task is not Task.LIQUIDATE or context.reserve is None:
        return error
    taken = context.reserve.take(_job(context, start))
    if taken is None:
        return error
    if start.read >= 0:
        os.close(start.read)
    child, start.read = taken
    say_used(start.bot, error.strerror)
    return child


def _begun(context: Context, start: _Start, child: Child) -> None:
    bot, lines = start.bot, Lines(start.read, LARGEST_LINE)
    run = Run(child, start.task, start.row, lines, context.clock.now, totals=context.totals)
    try:
        context.reports.add(lines, bot.bot_id)
    except OSError as error:  # a process without a pipe for its reports is of no use
        context.children.kill(child)
        lines.close()
        _not_begun(context, start, error)
        return
    context.owners[child.pid] = bot.bot_id
    context.timers.ask(bot.bot_id, run.deadline(context.settings))
    if start.task is Task.CHECK:
        bot.put(replace(bot.process, check=run))
    else:
        bot.put(replace(bot.process, run=run))
        steps.started(context, bot, run)


def _not_begun(context: Context, start: _Start, error: OSError) -> None:
    if start.task is Task.CHECK:
        steps.cannot_check(context, start.bot, error)
    else:
        steps.no_process(context, start.bot, error)
