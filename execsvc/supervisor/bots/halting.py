"""The halt of all trading, and its end: recorded first, then told to every bot."""

from __future__ import annotations

from loguru import logger

from execsvc.errors import LedgerFailed
from execsvc.supervisor.bots.bots import Bots
from execsvc.supervisor.bots.context import Context
from execsvc.supervisor.bots.facts import Occurrence

KEY = "\0halt"
LONGEST_LOOK = 5.0
"""Seconds between two reads of the record of the halt, at most; POLL_INTERVAL where that is less."""


def halt(context: Context, bots: Bots, reason: str | None) -> str | None:
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
    bots.apply_to_all(Occurrence.HALTED)
    return fault


def look_for_halt(context: Context, bots: Bots) -> None:
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
        bots.apply_to_all(Occurrence.HALTED)


def resume(context: Context, bots: Bots) -> None:
    """Let the listed bots run again, except those that are HELD or FAILED for a reason of their own.

    Raises LedgerFailed, and then trading stays halted.
    """
    context.halt.end()
    logger.bind(event="trading_resumed").warning("trading is resumed")
    bots.apply_to_all(Occurrence.RESUMED)


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
