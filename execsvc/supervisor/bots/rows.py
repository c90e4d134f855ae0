"""The rows of bots in BotService, and the effect of each on its bot."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from loguru import logger

from execsvc.errors import LedgerFailed
from execsvc.model import risk
from execsvc.model.bot import BotSpec, InvalidRow, short_name
from execsvc.runner.job import Task
from execsvc.store.tripped import STOP_LOSS
from execsvc.supervisor.bots import changes
from execsvc.supervisor.bots.bot import Bot
from execsvc.supervisor.bots.context import Context
from execsvc.supervisor.bots.next_step import Listed
from execsvc.supervisor.bots.process_exit import remember_held
from execsvc.supervisor.bots.run import StopMode
from execsvc.supervisor.bots.states import State
from execsvc.supervisor.bots.steps import reconcile, tell
from execsvc.supervisor.processes.restarts import Crashes

ABANDON_GRACE = 5.0
"""Seconds beyond ORDER_TIMEOUT that a process has to end whose position is given up."""
MOST_NAMELESS = 5
"""Different rows without an id that one line of the log describes."""


def on_listed(context: Context, bot: Bot, row: BotSpec) -> None:
    """Apply ``row``, a usable one with which ``bot`` is listed."""
    if bot.desired.listed is Listed.VALID and bot.desired.row == row:
        return
    if bot.desired.listed is Listed.GONE and bot.process.run is None:
        bot.begin_anew()
    _say_risk(bot, row)
    bot.put(replace(bot.desired, listed=Listed.VALID, row=row))
    bot.end_failure()
    if bot.runs_freely:
        changes.consider(context, bot)
    else:
        bot.put(replace(bot.desired, row_error=None))
        reconcile(context, bot)


def row_refused(context: Context, bot: Bot, row: InvalidRow) -> None:
    """Note the reason why ``row`` of ``bot`` cannot be used; a runner goes on with its old row."""
    reason = row.reason
    bot.put(replace(bot.desired, invalid_name=row.name))
    if bot.desired.listed is Listed.INVALID and bot.desired.row_error == reason:
        return
    bot.put(
        replace(bot.desired, listed=Listed.INVALID, row_error=reason),
        replace(bot.process, to_check=None),
    )
    bot.log.bind(event="bot_invalid").warning("row cannot be used: {}", reason)
    reconcile(context, bot)


def nameless(before: list[InvalidRow], listed: list[InvalidRow]) -> None:
    """Log the listed rows without a usable id when they are others than ``before``."""
    if not listed or Counter(listed) == Counter(before):
        return
    shown = sorted(
        {f"{short_name(row.name)}: {row.reason}" if row.name else row.reason for row in listed}
    )
    more = "; …" if len(shown) > MOST_NAMELESS else ""
    logger.bind(event="rows_without_id").warning(
        "rows without a usable id, of which no bot can be made: {} ({}{})",
        len(listed),
        "; ".join(shown[:MOST_NAMELESS]),
        more,
    )


def on_unlisted(context: Context, bot: Bot, why: str = "no longer listed") -> None:
    """End ``bot``, which is not to run any more, and end it flat, whatever its state."""
    stops_out = bot.desired.row is not None and bot.desired.row.stop_loss is not None
    stops_out = stops_out or any(guard["guard"] == STOP_LOSS for guard in bot.guards)
    bot.put(replace(bot.desired, listed=Listed.GONE))
    if bot.stand_in:
        return  # without a readable ledger nothing can be closed
    bot.put(
        replace(bot.desired, row_error=None, refused=None),
        replace(bot.process, to_check=None),
        replace(bot.holding, pending=None),
    )
    if bot.holding.hold is not None:
        bot.put(replace(bot.holding, hold=None), replace(bot.known, current=False))
        remember_held(context, bot)
    bot.put(replace(bot.schedule, crashes=Crashes()))
    if bot.process.check is not None:
        context.children.kill(bot.process.check.child)
    if bot.runs_freely:
        bot.log.bind(event="bot_unlisted").info("{}: told to stop", why)
        tell(context, bot, StopMode.STOP)
    elif bot.trades:
        bot.put(replace(bot.desired, closing=True))
    if stops_out:
        _let_reenter(context, bot)
    reconcile(context, bot)


def _let_reenter(context: Context, bot: Bot) -> None:
    """Let the next start enter after an earlier stop loss, as the user has stopped the bot."""
    try:
        context.store.allow_reentry(bot.bot_id)
    except LedgerFailed as fault:
        told = bot.log.bind(event="ledger_failed")
        told.error("{}; its stop loss may keep it from entering until: execsvc release", fault)


def _say_risk(bot: Bot, row: BotSpec) -> None:
    """Log once for a row the part of its risk management that is not honoured."""
    before, told = bot.desired.row, bot.log.bind(event="row_noted")
    doubt = risk.doubt_about(row.stop_loss)
    if doubt is not None and (before is None or before.stop_loss != row.stop_loss):
        told.warning("{}", doubt)
    if row.has_max_drawdown and (before is None or not before.has_max_drawdown):
        told.debug("pipeline.risk_management.max_drawdown is not enforced")


def release(context: Context, bot: Bot, *, abandons: bool = False) -> None:
    """Let the bot go on, by an operator: HELD and FAILED end, and its crashes are forgotten.

    ``abandons``: its position is given up first, by a process of its own, once the process that
    owns the ledger has ended.
    """
    if abandons and not bot.stand_in:
        bot.put(
            replace(bot.desired, abandoning=True),
            replace(bot.known, not_abandoned=None),
            replace(bot.holding, pending=None),
        )
        bot.put(replace(bot.process, to_check=None))
        bot.log.bind(event="bot_abandon_asked").warning("an operator gives its position up")
        if bot.process.run is not None and bot.process.run.task is not Task.ABANDON:
            # The process has time to finish an order; a longer delay may last for ever.
            bot.process.run.ends_by = (
                context.clock.now + context.settings.order_timeout + ABANDON_GRACE
            )
            tell(context, bot, StopMode.HOLD)
    bot.put(replace(bot.schedule, crashes=Crashes()))
    if bot.holding.hold is not None:
        bot.put(replace(bot.holding, hold=None))
        bot.begin_anew()
        remember_held(context, bot)
    bot.put(replace(bot.schedule, not_before=context.clock.now, liquidate_at=context.clock.now))
    recheck(context, bot)


def look_again(context: Context, bot: Bot) -> None:
    """Close the position of a bot whose ledger can be read again; until then do and log nothing.

    The bot stays FAILED until its row changes or an operator releases it. A bot whose file is gone
    waits on: only an operator knows whether its position is closed.
    """
    if bot.process.run is not None or bot.known.unreadable is None:
        return
    try:
        if context.ledgers.read(bot.bot_id) is None:
            return
    except LedgerFailed:
        return
    bot.put(replace(bot.known, current=False))
    reconcile(context, bot)


def recheck(context: Context, bot: Bot) -> None:
    """Read the ledger again and act on it, as the ledger or the journal was changed by hand."""
    if bot.process.run is not None or bot.stand_in:
        return
    if bot.known.unreadable is not None and bot.holding.hold is not None:
        bot.put(
            replace(
                bot.holding,
                hold=None if bot.holding.hold.state is State.FAILED else bot.holding.hold,
            )
        )
    bot.put(replace(bot.known, current=False))
    reconcile(context, bot)
