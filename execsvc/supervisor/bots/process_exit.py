"""The consequences of the end of a bot's process."""

from __future__ import annotations

from execsvc.errors import LedgerFailed
from execsvc.runner.job import Task
from execsvc.runner.report import EndKind
from execsvc.supervisor.bots import changes
from execsvc.supervisor.bots.bot import Bot, Hold, PendingSignalDecision
from execsvc.supervisor.bots.context import Context
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
    context.reports.quiet(run.lines)
    run.lines.close()
    if run is bot.check:
        bot.check = None
        changes.checked(context, bot, run, code)
        return
    context.recent.position(bot)
    bot.run, bot.outage = None, _outage(run)
    if run.task is Task.LIQUIDATE:
        _liquidation_ended(context, bot, run, code)
    elif run.task is Task.ABANDON:
        _abandoning_ended(context, bot, run, code)
    else:
        bot.last = run.snapshot
        _trading_ended(context, bot, run, code)
    reconcile(context, bot)


def decide_on_signal(context: Context, bot: Bot) -> None:
    """Decide, two seconds after a runner ended on a signal, if an operator meant this bot or all."""
    pending = bot.pending_signal
    assert pending is not None
    if context.clock.now < pending.due:
        context.timers.ask(bot.bot_id, pending.due)
        return
    bot.pending_signal = None
    if _was_one_of_many(context, pending.signalled_at):
        bot.crashed = True
        bot.error = f"{bot.error}, as others did: restarted"
    else:
        bot.hold = Hold(State.HELD, f"{bot.error} to its process", keeps=pending.keeps)
        bot.closing = not pending.keeps
        bot.liquidate_at = pending.retry_at
        remember_held(context, bot)
    reconcile(context, bot)


def remember_held(context: Context, bot: Bot) -> bool:
    """Keep for the next start if the bot is held; False when that cannot be written."""
    held = bot.hold is not None and bot.hold.state is State.HELD
    try:
        if bot.hold is not None and held:
            context.held.add(bot.bot_id, keeps=bot.hold.keeps)
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
    failed = bot.liquidation_failed
    read_ledger(context, bot)
    if failed and not bot.is_open:
        bot.error = None  # the error was the reason why the position was open
    if bot.is_open:
        end = run.snapshot.end
        bot.error = (end.detail if end else None) or _cut_short(run, code)
        bot.liquidation_failed = True
        bot.liquidate_at = context.clock.now + context.settings.liquidation_retry


def _abandoning_ended(context: Context, bot: Bot, run: Run, code: int) -> None:
    """Note if the position was given up, in one transaction, for the operator that waits."""
    end = run.snapshot.end
    done = end is not None and end.kind is EndKind.STOPPED
    bot.abandoning = False
    bot.not_abandoned = None if done else (end.detail if end else None) or _cut_short(run, code)
    read_ledger(context, bot)
    if done:
        bot.error = None  # the error was the reason why the position was open
    bot.liquidate_at = context.clock.now


def _outage(run: Run) -> str | None:
    """The reason why the bot's ledger could not be read or written, if the process ended of that."""
    end = run.snapshot.end
    return end.detail if end is not None and end.kind is EndKind.UNAVAILABLE else None


def _cut_short(run: Run, code: int) -> str:
    """The reason of the end of a process without a last report, and its work at that time."""
    at = run.snapshot.last_error
    return f"{run.killed_for or described(code)}{f': {at}' if at else ''}"


def _trading_ended(context: Context, bot: Bot, run: Run, code: int) -> None:
    ending = classify(run.snapshot, code, told=run.told is not None, killed_for=run.killed_for)
    read_ledger(context, bot)
    retry_at = _retry_at(context, run)
    if bot.outage is not None and run.snapshot.liquidation_failed:
        bot.liquidation_failed = bot.is_open  # the failure could not be recorded in the ledger
    if ending.meaning is not Meaning.ASKED:
        bot.error = ending.detail
    if ending.meaning is Meaning.OPERATOR:
        _ask(context, bot, run, ending, retry_at)
    elif ending.meaning is Meaning.CRASHED:
        _crashed(context, bot, run)
    elif ending.meaning is Meaning.UNAVAILABLE:
        _unavailable(context, bot, run)
    elif ending.meaning is not Meaning.ASKED and bot.hold is None:
        bot.closing = True
        mark_failed(context, bot, ending.detail, run.spec)
    bot.liquidate_at = retry_at


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
    if bot.hold is not None:
        return  # its ledger cannot be read: that hold stays
    if bot.state in (State.BOOTING, State.RUNNING):
        bot.become(State.STOPPING, context.clock.now)
    now = context.clock.now
    bot.signalled_at = run.stop_since if run.stop_since is not None else now
    bot.pending_signal = PendingSignalDecision(
        now + OPERATOR_WINDOW, bot.signalled_at, ending.keeps, retry_at
    )
    context.timers.ask(bot.bot_id, bot.pending_signal.due)


def _crashed(context: Context, bot: Bot, run: Run) -> None:
    now = context.clock.now
    end = run.snapshot.end
    if end is not None and end.kind is EndKind.RESIDUE:
        bot.closing = True  # the process found a position that it must not trade on
    delay = bot.restarts.crashed(now)
    bot.log.bind(event="bot_crashed", pid=run.child.pid).error("crashed: {}", bot.error)
    if delay is None:
        bot.closing = True
        why = f"given up after too many crashes, the last one: {bot.error}"
        mark_failed(context, bot, why, run.spec)
        return
    bot.crashed = True
    bot.not_before = now + delay


def _unavailable(context: Context, bot: Bot, run: Run) -> None:
    """Start the bot again, later and later, never FAILED: nothing is wrong with its ledger.

    Without a record there is no exit either. When that has lasted, its position is closed as soon
    as it can be; the bot goes on once it is flat.
    """
    now = context.clock.now
    delay = bot.outages.crashed(now)
    if delay is None:
        bot.closing = True
        delay = LONGEST_DELAY
    bot.log.bind(event="bot_crashed", pid=run.child.pid).error(
        "its ledger is not available: {}", bot.error
    )
    bot.crashed = True
    bot.not_before = now + delay


def _was_one_of_many(context: Context, signalled_at: float) -> bool:
    bots = context.bots.values()
    together = [bot for bot in bots if abs(bot.signalled_at - signalled_at) <= OPERATOR_WINDOW]
    runners = sum(bot.trades for bot in bots) + sum(not bot.trades for bot in together)
    return one_of_many(signalled_at, [bot.signalled_at for bot in together], runners)
