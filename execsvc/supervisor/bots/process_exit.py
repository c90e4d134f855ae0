"""The consequences of the end of a bot's process."""

from __future__ import annotations

import random
from dataclasses import replace

from execsvc.errors import LedgerFailed
from execsvc.runner.job import Task
from execsvc.runner.report import EndKind
from execsvc.supervisor.bots import changes
from execsvc.supervisor.bots.bot import Bot
from execsvc.supervisor.bots.context import Context
from execsvc.supervisor.bots.hold import Hold, PendingSignalDecision
from execsvc.supervisor.bots.run import Run
from execsvc.supervisor.bots.states import State
from execsvc.supervisor.bots.steps import mark_failed, read_ledger, reconcile
from execsvc.supervisor.processes.exit_classifier import (
    OPERATOR_WINDOW,
    Ending,
    Meaning,
    classify,
    described,
    one_of_many,
)
from execsvc.supervisor.processes.restarts import LONGEST_DELAY


def handle(context: Context, bot: Bot, run: Run, code: int) -> None:
    """Read the last report of the reaped process ``run`` of ``bot``, then decide."""
    run.listen(context.clock.now)
    context.reports.remove(run.lines)
    run.lines.close()
    if run is bot.process.check:
        bot.put(replace(bot.process, check=None))
        changes.checked(context, bot, run, code)
        return
    context.recent.position(bot)
    bot.put(replace(bot.process, run=None), replace(bot.known, outage=_outage(run)))
    if run.task is Task.LIQUIDATE:
        _liquidation_ended(context, bot, run, code)
    elif run.task is Task.ABANDON:
        _abandoning_ended(context, bot, run, code)
    else:
        bot.put(replace(bot.process, last=run.snapshot))
        _trading_ended(context, bot, run, code)
    reconcile(context, bot)


def decide_on_signal(context: Context, bot: Bot) -> None:
    """Decide, two seconds after a runner ended on a signal, if an operator meant this bot or all."""
    pending = bot.holding.pending
    assert pending is not None
    if context.clock.now < pending.due:
        context.timers.ask(bot.bot_id, pending.due)
        return
    bot.put(replace(bot.holding, pending=None))
    if _was_one_of_many(context, pending.signalled_at):
        bot.put(replace(bot.schedule, crashed=True))
        bot.put(replace(bot.process, error=f"{bot.process.error}, as others did: restarted"))
    else:
        bot.put(
            replace(
                bot.holding,
                hold=Hold(State.HELD, f"{bot.process.error} to its process", keeps=pending.keeps),
            )
        )
        bot.put(replace(bot.desired, closing=not pending.keeps))
        bot.put(replace(bot.schedule, liquidate_at=pending.retry_at))
        remember_held(context, bot)
    reconcile(context, bot)


def remember_held(context: Context, bot: Bot) -> bool:
    """Keep for the next start if the bot is held; False when that cannot be written."""
    held = bot.holding.hold is not None and bot.holding.hold.state is State.HELD
    try:
        if bot.holding.hold is not None and held:
            context.held.add(bot.bot_id, keeps=bot.holding.hold.keeps)
        else:
            context.held.discard(bot.bot_id)
    except LedgerFailed as error:
        bot.log.bind(event="held_not_written").critical(
            "{}; a restart of the service will not know that this bot is {}",
            error,
            "held" if held else "no longer held",
        )
        return False
    return True


def _liquidation_ended(context: Context, bot: Bot, run: Run, code: int) -> None:
    failed = bot.known.liquidation_failed
    read_ledger(context, bot)
    if failed and not bot.is_open:
        # the error was the reason why the position was open
        bot.put(replace(bot.process, error=None))
    if bot.is_open:
        end = run.snapshot.end
        bot.put(replace(bot.process, error=(end.detail if end else None) or _cut_short(run, code)))
        bot.put(replace(bot.known, liquidation_failed=True))
        bot.put(
            replace(
                bot.schedule, liquidate_at=context.clock.now + context.settings.liquidation_retry
            )
        )


def _abandoning_ended(context: Context, bot: Bot, run: Run, code: int) -> None:
    """Note if the position was given up, in one transaction, for the operator that waits."""
    end = run.snapshot.end
    done = end is not None and end.kind is EndKind.STOPPED
    bot.put(replace(bot.desired, abandoning=False))
    bot.put(
        replace(
            bot.known,
            not_abandoned=None if done else (end.detail if end else None) or _cut_short(run, code),
        )
    )
    read_ledger(context, bot)
    if done:
        # the error was the reason why the position was open
        bot.put(replace(bot.process, error=None))
    bot.put(replace(bot.schedule, liquidate_at=context.clock.now))


def _outage(run: Run) -> str | None:
    """The reason why the bot's ledger could not be read or written, if the process ended of that."""
    end = run.snapshot.end
    return end.detail if end is not None and end.kind is EndKind.UNAVAILABLE else None


def _cut_short(run: Run, code: int) -> str:
    """The reason of the end of a process without a last report, and its work at that time."""
    at = run.snapshot.last_error
    return f"{run.killed_for or described(code)}{f': {at}' if at else ''}"


def _trading_ended(context: Context, bot: Bot, run: Run, code: int) -> None:
    ending = classify(run.snapshot, code, asked=run.told is not None, killed_for=run.killed_for)
    read_ledger(context, bot)
    retry_at = _retry_at(context, run)
    if bot.known.outage is not None and run.snapshot.liquidation_failed:
        # the failure could not be recorded in the ledger
        bot.put(replace(bot.known, liquidation_failed=bot.is_open))
    if ending.meaning is not Meaning.ASKED:
        bot.put(replace(bot.process, error=ending.detail))
    if ending.meaning is Meaning.OPERATOR:
        _ask(context, bot, run, ending, retry_at)
    elif ending.meaning is Meaning.CRASHED:
        _crashed(context, bot, run)
    elif ending.meaning is Meaning.UNAVAILABLE:
        _unavailable(context, bot, run)
    elif ending.meaning is not Meaning.ASKED and bot.holding.hold is None:
        bot.put(replace(bot.desired, closing=True))
        mark_failed(context, bot, ending.detail, run.spec)
    bot.put(replace(bot.schedule, liquidate_at=retry_at))


def _retry_at(context: Context, run: Run) -> float:
    """The time of the next liquidation: later after a stop, which made its attempts; else at once."""
    end = run.snapshot.end
    tried = end is not None and end.kind in (
        EndKind.RESIDUE,
        EndKind.FAILED,
        EndKind.UNAVAILABLE,
    )
    if tried and run.snapshot.liquidation_failed:
        return context.clock.now + context.settings.liquidation_retry
    return context.clock.now


def _ask(context: Context, bot: Bot, run: Run, ending: Ending, retry_at: float) -> None:
    if bot.holding.hold is not None:
        return  # its ledger cannot be read: that hold stays
    if bot.state in (State.BOOTING, State.RUNNING):
        bot.become(State.STOPPING, context.clock.now)
    now = context.clock.now
    signalled_at = run.stop_since if run.stop_since is not None else now
    pending = PendingSignalDecision(now + OPERATOR_WINDOW, signalled_at, ending.keeps, retry_at)
    bot.put(replace(bot.holding, pending=pending, signalled_at=signalled_at))
    context.timers.ask(bot.bot_id, pending.due)


def _crashed(context: Context, bot: Bot, run: Run) -> None:
    now = context.clock.now
    end = run.snapshot.end
    if end is not None and end.kind is EndKind.RESIDUE:
        # The process found a position that it must not trade on.
        bot.put(replace(bot.desired, closing=True))
    settings = context.settings
    crashes = bot.schedule.crashes.with_one(now, settings.restart_window)
    bot.put(replace(bot.schedule, crashes=crashes))
    bot.log.bind(event="bot_crashed", pid=run.child.pid).error("crashed: {}", bot.process.error)
    if crashes.are_too_many(settings.max_restarts, settings.restart_window):
        bot.put(replace(bot.desired, closing=True))
        why = f"given up after too many crashes, the last one: {bot.process.error}"
        mark_failed(context, bot, why, run.spec)
        return
    delay = crashes.delay(random.random())
    bot.put(replace(bot.schedule, crashed=True, not_before=now + delay))


def _unavailable(context: Context, bot: Bot, run: Run) -> None:
    """Start the bot again, later and later, never FAILED: nothing is wrong with its ledger.

    Without a record there is no exit either. When that has lasted, its position is closed as soon
    as it can be; the bot goes on once it is flat.
    """
    now = context.clock.now
    settings = context.settings
    outages = bot.schedule.outages.with_one(now, settings.restart_window)
    delay = outages.delay(random.random())
    if outages.are_too_many(settings.max_restarts, settings.restart_window):
        bot.put(replace(bot.desired, closing=True))
        delay = LONGEST_DELAY
    bot.log.bind(event="bot_crashed", pid=run.child.pid).error(
        "its ledger is not available: {}", bot.process.error
    )
    not_before = now + delay
    bot.put(replace(bot.schedule, outages=outages, crashed=True, not_before=not_before))


def _was_one_of_many(context: Context, signalled_at: float) -> bool:
    bots = context.bots.values()
    together = [
        bot for bot in bots if abs(bot.holding.signalled_at - signalled_at) <= OPERATOR_WINDOW
    ]
    runners = sum(bot.trades for bot in bots) + sum(not bot.trades for bot in together)
    return one_of_many(signalled_at, [bot.holding.signalled_at for bot in together], runners)
