"""Commands of an operator at the control socket: stop one bot, halt all of them, resume."""

from __future__ import annotations

from dataclasses import replace

from loguru import logger

from execsvc.errors import LedgerFailed
from execsvc.store.service_store import HeldBots
from execsvc.supervisor.bots.bot import Bot
from execsvc.supervisor.bots.context import Context
from execsvc.supervisor.bots.hold import Hold
from execsvc.supervisor.bots.next_step import Listed
from execsvc.supervisor.bots.process_exit import remember_held
from execsvc.supervisor.bots.run import StopMode
from execsvc.supervisor.bots.states import State
from execsvc.supervisor.bots.steps import reconcile, tell
from execsvc.supervisor.processes.restarts import Crashes

KEY = "\0halt"
LONGEST_LOOK = 5.0
"""Seconds between two reads of the record of the halt, at most; POLL_INTERVAL where that is less."""
_STOPPED = "stopped by an operator"


def stop(context: Context, bot: Bot) -> bool:
    """Let ``bot`` end flat and be HELD; False when that could not be written down.

    A bot that BotService does not list any more only ends flat: nothing would ever end its HELD.
    A bot whose ledger cannot be read stays FAILED, which takes precedence.
    """
    bot.log.bind(event="bot_stop_asked").warning("an operator stops it")
    written = True
    if bot.desired.listed is not Listed.GONE and bot.known.unreadable is None:
        # this operator sent the signal on which it ended, too
        bot.put(replace(bot.holding, pending=None))
        bot.put(replace(bot.holding, hold=_held(bot.holding.hold)))
        written = remember_held(context, bot)
    _close(context, bot)
    return written


def halt(context: Context, reason: str | None) -> str | None:
    """Halt all trading: close every position, start no bot. Returns the reason why it is not on the disk.

    The halt is written before the first bot is told, so that after a crash in between the next start
    goes on with it; bots are told whether or not it could be written.
    """
    context.store.make_room()
    fault = None
    try:
        context.halt.begin(reason)
    except LedgerFailed as error:
        fault = str(error)
        logger.bind(event="halt_not_written").critical(
            "{}; trading is halted until the service restarts, and no longer", error
        )
    say_if_halted(context)
    for bot in list(context.bots.values()):
        _close(context, bot)
    return fault


def look_for_halt(context: Context) -> None:
    """Take a halt that a command has recorded which cannot reach this process.

    A halt in force stays until :func:`resume`, even if its record is removed, which is then written
    again.
    """
    interval = min(context.settings.poll_interval, LONGEST_LOOK)
    context.timers.ask(KEY, context.clock.now + interval)
    before = context.halt.current
    try:
        restored = context.halt.look()
    except LedgerFailed:
        return  # logged when the halt began; the next look tries again
    if restored:
        logger.bind(event="halt_restored").warning(
            "{} is written again: trading is halted, also over a restart (execsvc resume ends it)",
            context.halt.name,
        )
    if context.halt.current != before:
        say_if_halted(context)
        for bot in list(context.bots.values()):
            _close(context, bot)


def resume(context: Context) -> None:
    """Let the listed bots run again, except those that are HELD or FAILED for a reason of their own.

    Raises LedgerFailed, and then trading stays halted.
    """
    context.halt.end()
    logger.bind(event="trading_resumed").warning("trading is resumed")
    for bot in list(context.bots.values()):
        bot.put(replace(bot.schedule, crashes=Crashes()))
        bot.put(replace(bot.schedule, not_before=context.clock.now, crashed=False))
        reconcile(context, bot)


def say_if_halted(context: Context) -> None:
    """Write to the log that trading is halted, if it is."""
    halted = context.halt.current
    if halted is not None:
        level = "WARNING" if context.halt.damage is None else "CRITICAL"
        logger.bind(event="trading_halted", since=halted.since).log(
            level,
            "{} (since {}); positions are closed, nobody is started",
            halted.text,
            halted.since,
        )


def say_held_unreadable(held: HeldBots) -> None:
    """Write to the log that every bot is HELD, as the record of the HELD ones cannot be read."""
    logger.bind(event="held_unreadable").critical(
        "{} cannot be read ({}): the {} bots that have a ledger are HELD with what they hold, "
        "until the file is repaired and the service restarted, or: execsvc release BOT",
        held.name,
        held.damage,
        len(held.bots),
    )


def _held(before: Hold | None) -> Hold:
    if before is None:
        return Hold(State.HELD, _STOPPED)
    if before.state is State.HELD and not before.keeps:
        return before
    return Hold(State.HELD, f"{_STOPPED}; before: {before.detail}")


def _close(context: Context, bot: Bot) -> None:
    """Let the position of the bot be closed at once."""
    bot.put(replace(bot.process, to_check=None))
    bot.put(replace(bot.schedule, liquidate_at=context.clock.now))
    if bot.process.check is not None:
        context.children.kill(bot.process.check.child)
    if bot.process.run is None:
        bot.put(replace(bot.desired, closing=bot.desired.closing or bot.is_open))
    elif bot.runs_freely and (bot.holding.hold is not None or bot.process.run.stop_since is None):
        # A bot that already stops on a signal of its own is left to its pending decision: the decision of
        # an operator still counts when trading is resumed.
        tell(context, bot, StopMode.STOP)
    reconcile(context, bot)
