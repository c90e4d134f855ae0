"""The steps of a bot: the next one is decided, a process is queued, or one is told to end."""

from __future__ import annotations

import signal
from dataclasses import replace

from execsvc.errors import LedgerFailed, LedgerUnavailable
from execsvc.events import EventName
from execsvc.model.bot import BotSpec
from execsvc.runner.job import Task
from execsvc.supervisor.bots.bot import Bot
from execsvc.supervisor.bots.context import Context
from execsvc.supervisor.bots.hold import Hold
from execsvc.supervisor.bots.next_step import Step, next_step
from execsvc.supervisor.bots.run import Run, StopMode
from execsvc.supervisor.bots.states import State

SHOWN_STOPPED = 3600.0
"""Seconds for which a bot that ended is shown."""
NO_LEDGER = 5.0
"""Seconds until a ledger that could not be read is read again."""
NO_PROCESS = 5.0
"""Seconds until a fork that failed is tried again."""
_WORDS: dict[EventName, str] = {
    "process_started": "started",
    "bot_restarted": "restarted",
    "bot_liquidating": "liquidating",
}
_SIGNALS = {StopMode.STOP: signal.SIGTERM, StopMode.HOLD: signal.SIGUSR2}


def reconcile(context: Context, bot: Bot) -> None:
    """Carry out the next step of ``bot``, if it has no process and no decision on a signal is pending."""
    if bot.process.run is not None or bot.holding.pending is not None or bot.stand_in:
        return
    bot.put(replace(bot.process, queued=None))
    if not bot.known.current:
        read_ledger(context, bot)
    if not bot.known.current:
        _wait_for_ledger(context, bot)
        return
    step, rest = next_step(bot.case(context.service, halted=context.halted))
    if step is Step.START:
        _start(context, bot)
    elif step is Step.LIQUIDATE:
        _liquidate(context, bot)
    elif step is Step.ABANDON:
        _abandon(context, bot)
    else:
        enter_idle(context, bot, rest)


def read_ledger(context: Context, bot: Bot) -> None:
    """Read the bot's ledger, which alone says if the bot is flat.

    The position in a ledger that cannot be read at present is unknown, and counts as open.
    """
    before = bot.known.unreadable
    bot.put(replace(bot.known, unreadable=None, current=True))
    try:
        bot.put(replace(bot.known, ledger=context.ledgers.read(bot.bot_id)))
    except LedgerUnavailable as error:
        bot.put(replace(bot.known, unreadable=str(error), current=False))
        if before is None:
            bot.log.bind(event="ledger_unavailable").warning("{}", error)
    except LedgerFailed as error:
        bot.put(replace(bot.known, ledger=None, unreadable=str(error)))
        if bot.holding.hold is None:
            mark_failed(context, bot, str(error), bot.desired.row)
    if not bot.is_open:
        bot.put(replace(bot.desired, closing=False), replace(bot.known, liquidation_failed=False))


def mark_failed(
    context: Context, bot: Bot, why: str, row: BotSpec | None, *, foreign: bool = False
) -> None:
    """Mark the bot FAILED as ``row`` has it, until the row changes or an operator releases the bot.

    ``foreign``: another service trades its account.
    """
    bot.put(replace(bot.holding, hold=Hold(State.FAILED, why, row=row, foreign=foreign)))
    bot.log.bind(event="bot_failed").error("failed: {}", why)
    bot.end_failure()


def enter_idle(context: Context, bot: Bot, state: State) -> None:
    """Bring ``bot`` into ``state``, one without a process that trades."""
    if bot.state is not state:
        bot.become(state, context.clock.now)
        if state is State.STOPPED:
            bot.log.bind(event="bot_stopped").info("STOPPED")
        elif state is State.HELD and bot.holding.hold is not None:
            bot.log.bind(event="bot_held").warning("held: {}", bot.holding.hold.detail)
    if state is State.STOPPED:
        shown_until = bot.state_since + SHOWN_STOPPED
        if shown_until <= context.clock.now:  # the bot stays, listed or contested: look again later
            shown_until = context.clock.now + SHOWN_STOPPED
        context.timers.ask(bot.bot_id, shown_until)


def tell(context: Context, bot: Bot, told: StopMode) -> None:
    """Send the bot's process the signal to end; its time limit begins now."""
    assert bot.process.run is not None
    context.children.send_signal(bot.process.run.child, _SIGNALS[told])
    bot.process.run.asked_to_stop(told, context.clock.now)
    bot.put(replace(bot.desired, closing=bot.desired.closing or told is StopMode.STOP))
    if bot.state in (State.BOOTING, State.RUNNING):
        bot.become(State.STOPPING, context.clock.now)
    context.timers.ask(bot.bot_id, bot.process.run.deadline(context.settings))


def kill(context: Context, bot: Bot, run: Run, why: str) -> None:
    """Kill a process of the bot; the next step is decided when it is dead."""
    run.killed_for = why
    bot.log.bind(event="process_killed", pid=run.child.pid).error(
        "killing process {}: {}", run.child.pid, why
    )
    context.children.kill(run.child)


def _start(context: Context, bot: Bot) -> None:
    if context.clock.now < bot.schedule.not_before:
        enter_idle(context, bot, State.BACKOFF)
        context.timers.ask(bot.bot_id, bot.schedule.not_before)
        return
    taken = _taken(context, bot, Task.TRADE)
    if taken is not None:
        mark_failed(context, bot, taken, bot.desired.row, foreign=True)
        reconcile(context, bot)
        return
    if bot.state is not State.BOOTING:
        bot.become(State.BOOTING, context.clock.now)
    bot.put(replace(bot.process, queued=Task.TRADE))
    context.queue.append(bot.bot_id)


def _wait_for_ledger(context: Context, bot: Bot) -> None:
    """Let ``bot`` rest as with an open position, and read its ledger again soon."""
    case = bot.case(context.service, halted=context.halted)
    step, rest = next_step(case._replace(readable=True))
    waits = {Step.START: State.BACKOFF, Step.REST: rest}
    enter_idle(context, bot, waits.get(step, State.LIQUIDATING))
    context.timers.ask(bot.bot_id, context.clock.now + NO_LEDGER)


def _liquidate(context: Context, bot: Bot) -> None:
    enter_idle(context, bot, State.LIQUIDATING)
    if context.clock.now < bot.schedule.liquidate_at:
        context.timers.ask(bot.bot_id, bot.schedule.liquidate_at)
        return
    taken = _taken(context, bot, Task.LIQUIDATE)
    if taken is not None:  # nothing may be sold while another service trades the account
        bot.put(replace(bot.process, error=taken), replace(bot.known, liquidation_failed=True))
        bot.put(
            replace(
                bot.schedule, liquidate_at=context.clock.now + context.settings.liquidation_retry
            )
        )
        context.timers.ask(bot.bot_id, bot.schedule.liquidate_at)
        return
    bot.put(replace(bot.process, queued=Task.LIQUIDATE))
    context.queue.appendleft(bot.bot_id)  # the close of a position comes before the start of a bot


def _taken(context: Context, bot: Bot, task: Task) -> str | None:
    """The reason why no process may work on the bot's account: another service here trades it."""
    binding = bot.live_binding(task)
    return None if binding is None else context.accounts.take(binding.key_id)


def _abandon(context: Context, bot: Bot) -> None:
    enter_idle(context, bot, State.LIQUIDATING)
    if context.clock.now < bot.schedule.not_before:  # the machine had no process for it
        context.timers.ask(bot.bot_id, bot.schedule.not_before)
        return
    bot.put(replace(bot.process, queued=Task.ABANDON))
    context.queue.appendleft(bot.bot_id)


def started(context: Context, bot: Bot, run: Run) -> None:
    """Take note that ``run`` works for ``bot`` from now on."""
    if run.task is Task.TRADE:
        bot.put(replace(bot.desired, given_back=None))
    again = bot.schedule.crashed and run.task is Task.TRADE
    if again:
        context.totals.restarts += 1
        restarts = bot.schedule.restart_count + 1
        bot.put(replace(bot.schedule, crashed=False, restart_count=restarts))
    bot.put(replace(bot.known, current=False), replace(bot.process, ever_ran=True))
    event: EventName = "bot_restarted" if again else "process_started"
    if run.task in (Task.LIQUIDATE, Task.ABANDON):
        event = "bot_liquidating"
    bot.log.bind(event=event, pid=run.child.pid).info("{}, pid {}", _WORDS[event], run.child.pid)


def cannot_check(context: Context, bot: Bot, error: OSError) -> None:
    """Check the changed row later, as the machine has no process for that."""
    bot.put(replace(bot.desired, row_error=f"the change cannot be checked: {error.strerror}"))
    bot.put(replace(bot.schedule, check_after=context.clock.now + NO_PROCESS))
    context.timers.ask(bot.bot_id, bot.schedule.check_after)


def no_process(context: Context, bot: Bot, error: OSError) -> None:
    """Reconcile the bot later, as the machine has no process to give; that is no crash of the bot."""
    bot.put(replace(bot.process, error=f"no process can be started: {error.strerror}"))
    bot.log.bind(event="fork_failed").error("{}", bot.process.error)
    bot.put(
        replace(
            bot.schedule,
            not_before=context.clock.now + NO_PROCESS,
            liquidate_at=context.clock.now + NO_PROCESS,
        )
    )
    reconcile(context, bot)
