"""The effects of an operator's commands on a bot: stop, release, halt, resume. Pure."""

from __future__ import annotations

from execsvc.runner.job import Task
from execsvc.supervisor.bots.bot_process import StopMode
from execsvc.supervisor.bots.bot_records import Hold
from execsvc.supervisor.bots.draft import Draft
from execsvc.supervisor.bots.effects import RememberHeld
from execsvc.supervisor.bots.facts import ReleaseAsked
from execsvc.supervisor.bots.next_step import Listed
from execsvc.supervisor.bots.states import State
from execsvc.supervisor.bots.steps import ask_to_stop, kill_check, reconcile
from execsvc.supervisor.processes.restarts import Crashes

ABANDON_GRACE = 5.0
"""Seconds beyond ORDER_TIMEOUT that a process has to end whose position is given up."""
_STOPPED = "stopped by an operator"


def stop(draft: Draft) -> None:
    """Let the bot end flat and be HELD.

    A bot that BotService does not list any more only ends flat: nothing would ever end its HELD.
    A bot whose ledger cannot be read stays FAILED, which takes precedence.
    """
    draft.log("WARNING", "bot_stop_asked", "an operator stops it")
    bot = draft.bot
    if bot.desired.listed is not Listed.GONE and bot.known.unreadable is None:
        hold = _held(bot.hold_record.hold)
        # This operator sent the signal on which it ended, too.
        draft.put(bot.hold_record._replace(hold=hold, pending=None))
        draft.do(RememberHeld(hold.keeps))
    close(draft)


def release(draft: Draft, fact: ReleaseAsked) -> None:
    """Let the bot go on: HELD and FAILED end, and its crashes are forgotten.

    A position that is given up is given up first, by a process of its own, once the process that
    owns the ledger has ended.
    """
    if fact.abandons and not draft.bot.stand_in:
        _abandon(draft)
    draft.put(draft.bot.schedule._replace(crashes=Crashes()))
    if draft.bot.hold_record.hold is not None:
        draft.put(draft.bot.hold_record._replace(hold=None))
        draft.bot = draft.bot.begun_anew()
        draft.do(RememberHeld(None))
    now = draft.at.now
    draft.put(draft.bot.schedule._replace(not_before=now, liquidate_at=now))
    recheck(draft)


def recheck(draft: Draft) -> None:
    """Read the ledger again and act on it, as the ledger or the journal was changed by hand."""
    bot = draft.bot
    if bot.processes.owner is not None or bot.stand_in:
        return
    if bot.known.unreadable is not None and bot.hold_record.is_failed:
        draft.put(bot.hold_record._replace(hold=None))
    draft.put(bot.known._replace(current=False))
    reconcile(draft)


def resume(draft: Draft) -> None:
    """Let the bot run again, unless it is HELD or FAILED for a reason of its own."""
    schedule, now = draft.bot.schedule, draft.at.now
    draft.put(schedule._replace(crashes=Crashes(), not_before=now, crashed=False))
    reconcile(draft)


def close(draft: Draft) -> None:
    """Let the position of the bot be closed at once."""
    bot = draft.bot
    draft.put(
        bot.processes._replace(to_check=None),
        bot.schedule._replace(liquidate_at=draft.at.now),
    )
    kill_check(draft)
    process = bot.processes.owner
    if process is None:
        draft.put(bot.desired._replace(closing=bot.desired.closing or bot.is_open))
    elif bot.runs_freely and (bot.hold_record.hold is not None or process.stop_since is None):
        # A bot that already stops on a signal of its own is left to its pending decision: the decision of
        # an operator still counts when trading is resumed.
        ask_to_stop(draft, StopMode.STOP)
    reconcile(draft)


def _abandon(draft: Draft) -> None:
    bot = draft.bot
    draft.put(
        bot.desired._replace(abandoning=True),
        bot.known._replace(not_abandoned=None),
        bot.hold_record._replace(pending=None),
        bot.processes._replace(to_check=None),
    )
    draft.log("WARNING", "bot_abandon_asked", "an operator gives its position up")
    process = bot.processes.owner
    if process is not None and process.task is not Task.ABANDON:
        # The process has time to finish an order; a longer delay may last for ever.
        ends_by = draft.at.now + draft.at.settings.order_timeout + ABANDON_GRACE
        draft.put(draft.bot.processes._replace(owner=process._replace(ends_by=ends_by)))
        ask_to_stop(draft, StopMode.KEEP)


def _held(before: Hold | None) -> Hold:
    if before is None:
        return Hold(State.HELD, _STOPPED)
    if before.state is State.HELD and not before.keeps:
        return before
    return Hold(State.HELD, f"{_STOPPED}; before: {before.detail}")
