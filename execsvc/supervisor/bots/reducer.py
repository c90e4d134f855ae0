"""The reducer of bots: the one place where a fact changes a bot. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from execsvc.supervisor.bots import by_hand, process_exit, recovery, rows, steps
from execsvc.supervisor.bots.bot import Bot
from execsvc.supervisor.bots.bot_process import BotProcess
from execsvc.supervisor.bots.draft import Draft
from execsvc.supervisor.bots.effects import Act, Effect, Wake
from execsvc.supervisor.bots.facts import (
    AccountAsked,
    AccountSeen,
    Circumstances,
    Ended,
    Fact,
    FoundUnreadable,
    GivenBack,
    HeldBefore,
    HeldNotRecorded,
    LedgerRead,
    LedgerSeen,
    NotStarted,
    Occurrence,
    ReleaseAsked,
    Reported,
    RowInvalid,
    RowListed,
    SignalClassified,
    Started,
    TakenUp,
    Unlisted,
)
from execsvc.supervisor.bots.next_step import Listed
from execsvc.supervisor.bots.states import State


def handle(bot: Bot, fact: Fact, at: Circumstances) -> tuple[Bot, tuple[Effect, ...]]:
    """``bot`` after ``fact``, and the effects to be carried out, in this order."""
    draft = Draft(bot, at)
    if isinstance(fact, Occurrence):
        _OCCURRED[fact](draft)
    else:
        _HANDLERS[type(fact)](draft, fact)
    return draft.bot, tuple(draft.effects)


def _due(draft: Draft) -> None:
    """Check the time limits of the bot's processes, and take the steps put off until now."""
    processes = draft.bot.processes
    for process in (processes.owner, processes.check):
        if process is not None:
            _check_limits(draft, process)
    if draft.bot.hold_record.pending is not None:
        process_exit.decide_on_signal(draft)
    elif draft.bot.runs_freely:
        rows.consider_change(draft)
    elif _is_over(draft):
        draft.do(Act.FORGET)
    else:
        steps.reconcile(draft)


def _check_limits(draft: Draft, process: BotProcess) -> None:
    why = process.overdue(draft.at.now, draft.at.settings)
    if why is not None:
        steps.kill(draft, process, why)
    else:
        draft.do(Wake(process.deadline(draft.at.settings)))


def _is_over(draft: Draft) -> bool:
    """True when the bot has ended, nothing of it waits for an operator, and it was shown for long."""
    bot = draft.bot
    return (
        bot.state is State.STOPPED
        and bot.desired.listed is Listed.GONE
        and not bot.contested
        and not bot.abandoned_by(draft.at.utc)
        and draft.at.now >= bot.state_since + steps.SHOWN_STOPPED
    )


def _ledger_seen(draft: Draft, fact: LedgerSeen) -> None:
    steps.note_ledger(draft, fact.found)


def _ledger_readable(draft: Draft) -> None:
    draft.put(draft.bot.known._replace(current=False))
    steps.reconcile(draft)


def _held_not_recorded(draft: Draft, fact: HeldNotRecorded) -> None:
    held = "held" if draft.bot.hold_record.is_held else "no longer held"
    text = f"{fact.reason}; a restart of the service will not know that this bot is {held}"
    draft.log("CRITICAL", "held_not_written", text)


def _given_back(draft: Draft, fact: GivenBack) -> None:
    if fact.why != draft.bot.desired.given_back:
        draft.put(draft.bot.desired._replace(given_back=fact.why))
        text = f"BotService is told that the bot has stopped: {fact.why}"
        draft.log("WARNING", "bot_given_back", text)


_OCCURRED: dict[Occurrence, Callable[[Draft], None]] = {
    Occurrence.DUE: _due,
    Occurrence.LEDGER_READABLE: _ledger_readable,
    Occurrence.LEDGER_CHANGED: by_hand.recheck,
    Occurrence.STOP_ASKED: by_hand.stop,
    Occurrence.HALTED: by_hand.close,
    Occurrence.RESUMED: by_hand.resume,
    Occurrence.SERVICE_STOPS: recovery.service_stops,
    Occurrence.OUT_OF_TIME: recovery.out_of_time,
}
_HANDLERS: dict[type[Fact], Callable[[Draft, Any], None]] = {
    TakenUp: recovery.taken_up,
    FoundUnreadable: recovery.found_unreadable,
    HeldBefore: recovery.held_before,
    RowListed: rows.row_listed,
    RowInvalid: rows.row_invalid,
    Unlisted: rows.unlisted,
    Started: steps.started,
    NotStarted: steps.not_started,
    AccountAsked: steps.account_asked,
    AccountSeen: steps.account_seen,
    LedgerRead: steps.ledger_read,
    LedgerSeen: _ledger_seen,
    ReleaseAsked: by_hand.release,
    HeldNotRecorded: _held_not_recorded,
    Reported: process_exit.reported,
    Ended: process_exit.ended,
    SignalClassified: process_exit.signal_classified,
    GivenBack: _given_back,
}
