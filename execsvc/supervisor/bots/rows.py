"""The rows of bots in BotService, and the effect of each on its bot."""

from __future__ import annotations

from collections import Counter

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

ABANDON_GRACE = 5.0
"""Seconds beyond ORDER_TIMEOUT that a process has to end whose position is given up."""
MOST_NAMELESS = 5
"""Different rows without an id that one line of the log describes."""


def on_listed(context: Context, bot: Bot, row: BotSpec) -> None:
    """Apply ``row``, a usable one with which ``bot`` is listed."""
    if bot.listed is Listed.VALID and bot.row == row:
        return
    if bot.listed is Listed.GONE and bot.run is None:
        bot.begin_anew()
    _say_risk(bot, row)
    bot.listed, bot.row = Listed.VALID, row
    bot.end_failure()
    if bot.runs_freely:
        changes.consider(context, bot)
    else:
        bot.row_error = None
        reconcile(context, bot)


def row_refused(context: Context, bot: Bot, row: InvalidRow) -> None:
    """Note the reason why ``row`` of ``bot`` cannot be used; a runner goes on with its old row."""
    bot.invalid_name, reason = row.name, row.reason
    if bot.listed is Listed.INVALID and bot.row_error == reason:
        return
    bot.listed, bot.row_error, bot.to_check = Listed.INVALID, reason, None
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
    stops_out = bot.row is not None and bot.row.stop_loss is not None
    stops_out = stops_out or any(guard["guard"] == STOP_LOSS for guard in bot.guards)
    bot.listed = Listed.GONE
    if bot.stand_in:
        return  # without a readable ledger nothing can be closed
    bot.row_error = bot.refused = bot.to_check = bot.pending_signal = None
    if bot.hold is not None:
        bot.hold, bot.ledger_known = None, False
        remember_held(context, bot)
    bot.restarts.forget()
    if bot.check is not None:
        context.children.kill(bot.check.child)
    if bot.runs_freely:
        bot.log.bind(event="bot_unlisted").info("{}: told to stop", why)
        tell(context, bot, StopMode.STOP)
    elif bot.trades:
        bot.closing = True
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
    before, told = bot.row, bot.log.bind(event="row_noted")
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
        bot.abandoning, bot.not_abandoned, bot.pending_signal = True, None, None
        bot.to_check = None
        bot.log.bind(event="bot_abandon_asked").warning("an operator gives its position up")
        if bot.run is not None and bot.run.task is not Task.ABANDON:
            # The process has time to finish an order; a longer delay may last for ever.
            bot.run.ends_by = context.clock.now + context.settings.order_timeout + ABANDON_GRACE
            tell(context, bot, StopMode.HOLD)
    bot.restarts.forget()
    if bot.hold is not None:
        bot.hold = None
        bot.begin_anew()
        remember_held(context, bot)
    bot.not_before = bot.liquidate_at = context.clock.now
    recheck(context, bot)


def look_again(context: Context, bot: Bot) -> None:
    """Close the position of a bot whose ledger can be read again; until then do and log nothing.

    The bot stays FAILED until its row changes or an operator releases it. A bot whose file is gone
    waits on: only an operator knows whether its position is closed.
    """
    if bot.run is not None or bot.unreadable is None:
        return
    try:
        if context.ledgers.read(bot.bot_id) is None:
            return
    except LedgerFailed:
        return
    bot.ledger_known = False
    reconcile(context, bot)


def recheck(context: Context, bot: Bot) -> None:
    """Read the ledger again and act on it, as the ledger or the journal was changed by hand."""
    if bot.run is not None or bot.stand_in:
        return
    if bot.unreadable is not None and bot.hold is not None:
        bot.hold = None if bot.hold.state is State.FAILED else bot.hold
    bot.ledger_known = False
    reconcile(context, bot)
