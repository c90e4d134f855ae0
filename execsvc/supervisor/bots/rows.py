"""The rows of bots in BotService, and the effect of each on its bot. Pure."""

from __future__ import annotations

from execsvc.model import risk
from execsvc.model.bot import BotSpec
from execsvc.supervisor.bots import changes
from execsvc.supervisor.bots.draft import Draft
from execsvc.supervisor.bots.effects import Act, RememberHeld
from execsvc.supervisor.bots.facts import RowInvalid, RowListed, Unlisted
from execsvc.supervisor.bots.next_step import Listed
from execsvc.supervisor.bots.run import StopMode
from execsvc.supervisor.bots.steps import ask_to_stop, kill_check, reconcile
from execsvc.supervisor.processes.restarts import Crashes


def row_listed(draft: Draft, fact: RowListed) -> None:
    """Apply a usable row with which the bot is listed."""
    desired, row = draft.bot.desired, fact.row
    draft.put(desired._replace(booting=fact.booting))
    if desired.listed is Listed.VALID and desired.row == row:
        return
    if desired.listed is Listed.GONE and draft.bot.process.run is None:
        draft.bot = draft.bot.begun_anew()
    _log_risk(draft, row)
    draft.put(draft.bot.desired._replace(listed=Listed.VALID, row=row))
    draft.bot = draft.bot.without_failure_of_another_row()
    if draft.bot.runs_freely:
        changes.consider(draft)
    else:
        draft.put(draft.bot.desired._replace(row_error=None))
        reconcile(draft)


def row_invalid(draft: Draft, fact: RowInvalid) -> None:
    """Note the reason why the row of the bot cannot be used; a runner goes on with its old row."""
    desired, reason = draft.bot.desired, fact.row.reason
    draft.put(desired._replace(booting=fact.booting, invalid_name=fact.row.name))
    if desired.listed is Listed.INVALID and desired.row_error == reason:
        return
    draft.put(
        draft.bot.desired._replace(listed=Listed.INVALID, row_error=reason),
        draft.bot.process._replace(to_check=None),
    )
    draft.log("WARNING", "bot_invalid", f"row cannot be used: {reason}")
    reconcile(draft)


def unlisted(draft: Draft, fact: Unlisted) -> None:
    """End the bot, which is not to run any more, and end it flat, whatever its state."""
    bot = draft.bot
    stops_out = bot.desired.row is not None and bot.desired.row.stop_loss is not None
    stops_out = stops_out or bot.is_stopped_out
    draft.put(bot.desired._replace(listed=Listed.GONE))
    if bot.stand_in:
        return  # without a readable ledger nothing can be closed
    draft.put(
        draft.bot.desired._replace(row_error=None, refused=None),
        bot.process._replace(to_check=None),
        bot.holding._replace(pending=None),
    )
    if bot.holding.hold is not None:
        draft.put(draft.bot.holding._replace(hold=None), bot.known._replace(current=False))
        draft.do(RememberHeld(None))
    draft.put(bot.schedule._replace(crashes=Crashes()))
    kill_check(draft)
    if bot.runs_freely:
        draft.log("INFO", "bot_unlisted", f"{fact.why}: told to stop")
        ask_to_stop(draft, StopMode.STOP)
    elif bot.trades:
        draft.put(draft.bot.desired._replace(closing=True))
    if stops_out:
        draft.do(Act.ALLOW_REENTRY)
    reconcile(draft)


def _log_risk(draft: Draft, row: BotSpec) -> None:
    """Log once for a row the part of its risk management that is not honoured."""
    before = draft.bot.desired.row
    doubt = risk.doubt_about(row.stop_loss)
    if doubt is not None and (before is None or before.stop_loss != row.stop_loss):
        draft.log("WARNING", "row_noted", doubt)
    if row.has_max_drawdown and (before is None or not before.has_max_drawdown):
        draft.log("DEBUG", "row_noted", "pipeline.risk_management.max_drawdown is not enforced")
