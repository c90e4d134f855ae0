"""The rows of bots in BotService, and the effect of each on its bot. Pure.

A changed row of a bot that runs is checked by a process of its own; then the old process ends, and a new
one starts.
"""

from __future__ import annotations

from execsvc.model import risk
from execsvc.model.bot import BotSpec
from execsvc.runner.report import EndKind
from execsvc.supervisor.bots.bot_process import BotProcess, StopMode
from execsvc.supervisor.bots.draft import Draft
from execsvc.supervisor.bots.effects import Act, Queue, RememberHeld, Wake
from execsvc.supervisor.bots.facts import RowInvalid, RowListed, Unlisted
from execsvc.supervisor.bots.next_step import Listed
from execsvc.supervisor.bots.steps import ask_to_stop, kill_check, reconcile
from execsvc.supervisor.processes.exit_classifier import described
from execsvc.supervisor.processes.restarts import Crashes

RETRY = 30.0
"""Seconds until a check that ended without an answer is made again."""


def row_listed(draft: Draft, fact: RowListed) -> None:
    """Apply a usable row with which the bot is listed."""
    desired, row = draft.bot.desired, fact.row
    draft.put(desired._replace(booting=fact.booting))
    if desired.listed is Listed.VALID and desired.row == row:
        return
    if desired.listed is Listed.GONE and draft.bot.processes.owner is None:
        draft.bot = draft.bot.begun_anew()
    _log_risk(draft, row)
    draft.put(draft.bot.desired._replace(listed=Listed.VALID, row=row))
    draft.bot = draft.bot.without_failure_of_another_row()
    if draft.bot.runs_freely:
        consider_change(draft)
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
        draft.bot.processes._replace(to_check=None),
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
        bot.processes._replace(to_check=None),
        bot.hold_record._replace(pending=None),
    )
    if bot.hold_record.hold is not None:
        draft.put(draft.bot.hold_record._replace(hold=None), bot.known._replace(current=False))
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


def consider_change(draft: Draft) -> None:
    """Have the present row checked, when the bot's process runs another one."""
    bot = draft.bot
    desired, processes = bot.desired, bot.processes
    if desired.listed is not Listed.VALID:
        return
    assert processes.owner is not None
    assert processes.owner.spec is not None
    assert desired.row is not None
    if desired.row.runs_like(processes.owner.spec):
        draft.put(desired._replace(row_error=None, refused=None), processes._replace(to_check=None))
        return
    if desired.refused is not None and desired.row.runs_like(desired.refused):
        return
    if processes.check is None and draft.at.now >= bot.schedule.check_after:
        draft.put(processes._replace(to_check=desired.row))
        draft.do(Queue())
    elif processes.check is None:
        draft.do(Wake(bot.schedule.check_after))


def change_checked(draft: Draft, process: BotProcess, code: int) -> None:
    """Act on the end of the process that checked a row."""
    bot = draft.bot
    assert process.spec is not None
    if not bot.runs_freely or bot.desired.row is None:
        return
    if not bot.desired.row.runs_like(process.spec):
        consider_change(draft)  # the row changed once more meanwhile
        return
    end = process.snapshot.end
    if end is not None and end.kind is EndKind.CHECKED:
        draft.put(bot.desired._replace(row_error=None))
        _apply_change(draft)
    elif end is not None and end.kind is EndKind.REFUSED:
        error = f"change refused: {end.detail}"
        draft.put(bot.desired._replace(refused=process.spec, row_error=error))
        draft.log("WARNING", "bot_change_refused", error)
    else:
        error = f"the change could not be checked: {process.killed_for or described(code)}"
        again = draft.at.now + RETRY
        draft.put(bot.desired._replace(row_error=error), bot.schedule._replace(check_after=again))
        draft.do(Wake(again))


def _log_risk(draft: Draft, row: BotSpec) -> None:
    """Log once for a row the part of its risk management that is not honoured."""
    before = draft.bot.desired.row
    doubt = risk.doubt_about(row.stop_loss)
    if doubt is not None and (before is None or before.stop_loss != row.stop_loss):
        draft.log("WARNING", "row_noted", doubt)
    if row.has_max_drawdown and (before is None or not before.has_max_drawdown):
        draft.log("DEBUG", "row_noted", "pipeline.risk_management.max_drawdown is not enforced")


def _apply_change(draft: Draft) -> None:
    """End the process for a successor, which keeps the position; a changed binding closes it first."""
    process, row = draft.bot.processes.owner, draft.bot.desired.row
    assert process is not None
    assert process.spec is not None
    assert row is not None
    moved = row.binding != process.spec.binding
    how = "stopped and liquidated first" if moved else "replaced, position kept"
    draft.log("INFO", "bot_changed", f"row changed: {how}")
    ask_to_stop(draft, StopMode.STOP if moved else StopMode.KEEP)
