"""The bots that an earlier run of the service left, and the end of all bots with this run. Pure."""

from __future__ import annotations

from execsvc.supervisor.bots.bot_process import StopMode
from execsvc.supervisor.bots.bot_records import Hold
from execsvc.supervisor.bots.draft import Draft
from execsvc.supervisor.bots.facts import FoundUnreadable, HeldBefore, TakenUp
from execsvc.supervisor.bots.next_step import ServiceMode
from execsvc.supervisor.bots.states import State
from execsvc.supervisor.bots.steps import ask_to_stop, kill, kill_check, mark_failed, reconcile


def taken_up(draft: Draft, fact: TakenUp) -> None:
    """Take the next step of a bot that an earlier run left."""
    bot = draft.bot
    draft.put(
        bot.desired._replace(listed=fact.listed),
        bot.known._replace(ledger=fact.state, current=True),
        bot.processes._replace(ever_ran=True),
    )
    reconcile(draft)


def found_unreadable(draft: Draft, fact: FoundUnreadable) -> None:
    """Let the record stand for a ledger that cannot be read."""
    bot = draft.bot
    draft.put(
        bot.known._replace(unreadable=fact.reason),
        bot.processes._replace(ever_ran=True),
    )
    if fact.at_present:
        draft.become(State.BACKOFF)
    else:
        mark_failed(draft, fact.reason, None)
        draft.become(State.FAILED)


def held_before(draft: Draft, fact: HeldBefore) -> None:
    """Hold a bot that was HELD when an earlier run ended."""
    bot = draft.bot
    hold = Hold(State.HELD, fact.detail, keeps=fact.keeps, unsure=fact.unsure)
    draft.put(
        bot.hold_record._replace(hold=hold),
        bot.desired._replace(closing=not fact.keeps),
        bot.processes._replace(ever_ran=True),
    )
    reconcile(draft)


def service_stops(draft: Draft) -> None:
    """Have the bot end as the service says that stops."""
    bot = draft.bot
    draft.put(
        bot.hold_record._replace(pending=None),
        bot.processes._replace(to_check=None),
        bot.schedule._replace(liquidate_at=draft.at.now),
    )
    kill_check(draft)
    holds = draft.at.service is ServiceMode.KEEP
    process = bot.processes.owner
    if bot.runs_freely:
        ask_to_stop(draft, StopMode.KEEP if holds else StopMode.STOP)
    elif process is not None and not bot.trades and holds and process.stop_mode is None:
        ask_to_stop(draft, StopMode.KEEP)
    reconcile(draft)


def out_of_time(draft: Draft) -> None:
    """Have every process of the bot killed, as the time of the service to stop is over."""
    processes = draft.bot.processes
    for process in (processes.owner, processes.check):
        if process is not None and process.killed_for is None:
            kill(draft, process, "the service is out of time to stop")
    reconcile(draft)
