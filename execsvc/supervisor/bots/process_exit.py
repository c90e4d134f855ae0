"""The consequences of the reports and of the end of a bot's process. Pure."""

from __future__ import annotations

from execsvc.runner.job import Task
from execsvc.runner.report import EndKind
from execsvc.supervisor.bots import rows
from execsvc.supervisor.bots.bot_process import BotProcess
from execsvc.supervisor.bots.bot_records import Hold, PendingSignalDecision
from execsvc.supervisor.bots.draft import Draft
from execsvc.supervisor.bots.effects import ClassifySignal, NotePosition, RememberHeld, Wake
from execsvc.supervisor.bots.facts import Ended, LedgerFound, Reported, SignalClassified
from execsvc.supervisor.bots.states import State
from execsvc.supervisor.bots.steps import mark_failed, note_ledger, reconcile
from execsvc.supervisor.processes.exit_classifier import (
    OPERATOR_WINDOW,
    Ending,
    Meaning,
    classify,
    described,
)
from execsvc.supervisor.processes.restarts import LONGEST_DELAY

OUTAGE_OVER = 15.0
"""Seconds that a process has to trade before its ledger counts as available again: the wait for a lock
before a process ends is almost as long."""


def reported(draft: Draft, fact: Reported) -> None:
    """Note a report of a process, and the state of the bot that it shows."""
    processes, now = draft.bot.processes, draft.at.now
    if processes.check is not None and processes.check.pid == fact.pid:
        draft.put(processes._replace(check=processes.check.with_report(fact.snapshot, now)))
        return
    if processes.owner is None or processes.owner.pid != fact.pid:
        return
    process = processes.owner.with_report(fact.snapshot, now)
    draft.put(processes._replace(owner=process))
    draft.do(NotePosition(draft.bot.position))
    if process.stop_since is not None:
        draft.do(Wake(process.deadline(draft.at.settings)))
    if not draft.bot.runs_freely:
        return
    phase = process.snapshot.phase
    is_outage = draft.bot.known.outage is not None  # its reason may be empty: a long report is cut
    if phase == "RUNNING" and is_outage and now - process.began >= OUTAGE_OVER:
        draft.put(draft.bot.known._replace(outage=None))
    if phase == "RUNNING" and draft.bot.state is State.BOOTING:
        draft.become(State.RUNNING)
    elif phase == "STOPPING" and draft.bot.state in (State.BOOTING, State.RUNNING):
        draft.become(State.STOPPING)
        if process.snapshot.stopping_on is not None:
            draft.put(draft.bot.hold_record._replace(signalled_at=now))


def ended(draft: Draft, fact: Ended) -> None:
    """Decide by the last report of a process that was reaped."""
    processes = draft.bot.processes
    check, process = processes.check, processes.owner
    if check is not None and check.pid == fact.pid:
        draft.put(processes._replace(check=None))
        rows.change_checked(draft, _at_the_end(draft, check, fact), fact.code)
        return
    if process is None or process.pid != fact.pid:
        return
    process = _at_the_end(draft, process, fact)
    draft.put(processes._replace(owner=process))
    draft.do(NotePosition(draft.bot.position))
    draft.put(processes._replace(owner=None), draft.bot.known._replace(outage=_outage(process)))
    if process.task is Task.LIQUIDATE:
        _liquidation_ended(draft, process, fact)
    elif process.task is Task.ABANDON:
        _abandoning_ended(draft, process, fact)
    else:
        draft.put(draft.bot.processes._replace(last=process.snapshot))
        _trading_ended(draft, process, fact.code, fact.ledger)
    reconcile(draft)


def decide_on_signal(draft: Draft) -> None:
    """Have it decided, two seconds after a runner ended on a signal, if an operator meant this bot."""
    pending = draft.bot.hold_record.pending
    assert pending is not None
    if draft.at.now < pending.due:
        draft.do(Wake(pending.due))
    else:
        draft.do(ClassifySignal(pending.signalled_at))


def signal_classified(draft: Draft, fact: SignalClassified) -> None:
    """Restart the bot if its signal was one of many, else hold it."""
    bot, pending = draft.bot, draft.bot.hold_record.pending
    assert pending is not None
    error = bot.processes.error
    draft.put(bot.hold_record._replace(pending=None))
    if fact.one_of_many:
        draft.put(
            bot.schedule._replace(crashed=True),
            bot.processes._replace(error=f"{error}, as others did: restarted"),
        )
    else:
        hold = Hold(State.HELD, f"{error} to its process", keeps=pending.keeps)
        draft.put(
            draft.bot.hold_record._replace(hold=hold),
            bot.desired._replace(closing=not pending.keeps),
            bot.schedule._replace(liquidate_at=pending.retry_at),
        )
        draft.do(RememberHeld(pending.keeps))
    reconcile(draft)


def _at_the_end(draft: Draft, process: BotProcess, fact: Ended) -> BotProcess:
    return process if fact.snapshot is None else process.with_report(fact.snapshot, draft.at.now)


def _liquidation_ended(draft: Draft, process: BotProcess, fact: Ended) -> None:
    failed = draft.bot.known.liquidation_failed
    note_ledger(draft, fact.ledger)
    if failed and not draft.bot.is_open:
        # The error was the reason why the position was open.
        draft.put(draft.bot.processes._replace(error=None))
    if draft.bot.is_open:
        end = process.snapshot.end
        error = (end.detail if end else None) or _cut_short(process, fact.code)
        retry_at = draft.at.now + draft.at.settings.liquidation_retry
        draft.put(
            draft.bot.processes._replace(error=error),
            draft.bot.known._replace(liquidation_failed=True),
            draft.bot.schedule._replace(liquidate_at=retry_at),
        )


def _abandoning_ended(draft: Draft, process: BotProcess, fact: Ended) -> None:
    """Note if the position was given up, in one transaction, for the operator that waits."""
    end = process.snapshot.end
    done = end is not None and end.kind is EndKind.STOPPED
    fault = None if done else (end.detail if end else None) or _cut_short(process, fact.code)
    draft.put(
        draft.bot.desired._replace(abandoning=False),
        draft.bot.known._replace(not_abandoned=fault),
    )
    note_ledger(draft, fact.ledger)
    if done:
        # The error was the reason why the position was open.
        draft.put(draft.bot.processes._replace(error=None))
    draft.put(draft.bot.schedule._replace(liquidate_at=draft.at.now))


def _outage(process: BotProcess) -> str | None:
    """The reason why the bot's ledger could not be read or written, if the process ended of that."""
    end = process.snapshot.end
    return end.detail if end is not None and end.kind is EndKind.UNAVAILABLE else None


def _cut_short(process: BotProcess, code: int) -> str:
    """The reason of the end of a process without a last report, and its work at that time."""
    at = process.snapshot.last_error
    return f"{process.killed_for or described(code)}{f': {at}' if at else ''}"


def _trading_ended(draft: Draft, process: BotProcess, code: int, ledger: LedgerFound) -> None:
    ending = classify(
        process.snapshot, code, asked=process.stop_mode is not None, killed_for=process.killed_for
    )
    note_ledger(draft, ledger)
    retry_at = _retry_at(draft, process)
    if draft.bot.known.outage is not None and process.snapshot.liquidation_failed:
        # The failure could not be recorded in the ledger.
        draft.put(draft.bot.known._replace(liquidation_failed=draft.bot.is_open))
    if ending.meaning is not Meaning.ASKED:
        draft.put(draft.bot.processes._replace(error=ending.detail))
    if ending.meaning is Meaning.OPERATOR:
        _await_decision(draft, process, ending, retry_at)
    elif ending.meaning is Meaning.CRASHED:
        _crashed(draft, process, ending.detail)
    elif ending.meaning is Meaning.UNAVAILABLE:
        _unavailable(draft, process, ending.detail)
    elif ending.meaning is not Meaning.ASKED and draft.bot.hold_record.hold is None:
        draft.put(draft.bot.desired._replace(closing=True))
        mark_failed(draft, ending.detail, process.spec)
    draft.put(draft.bot.schedule._replace(liquidate_at=retry_at))


def _retry_at(draft: Draft, process: BotProcess) -> float:
    """The time of the next liquidation: later after a stop, which made its attempts; else at once."""
    end = process.snapshot.end
    tried = end is not None and end.kind in (
        EndKind.RESIDUE,
        EndKind.FAILED,
        EndKind.UNAVAILABLE,
    )
    if tried and process.snapshot.liquidation_failed:
        return draft.at.now + draft.at.settings.liquidation_retry
    return draft.at.now


def _await_decision(draft: Draft, process: BotProcess, ending: Ending, retry_at: float) -> None:
    if draft.bot.hold_record.hold is not None:
        return  # its ledger cannot be read: that hold stays
    if draft.bot.state in (State.BOOTING, State.RUNNING):
        draft.become(State.STOPPING)
    now = draft.at.now
    signalled_at = process.stop_since if process.stop_since is not None else now
    pending = PendingSignalDecision(now + OPERATOR_WINDOW, signalled_at, ending.keeps, retry_at)
    draft.put(draft.bot.hold_record._replace(pending=pending, signalled_at=signalled_at))
    draft.do(Wake(pending.due))


def _crashed(draft: Draft, process: BotProcess, error: str) -> None:
    now, settings = draft.at.now, draft.at.settings
    end = process.snapshot.end
    if end is not None and end.kind is EndKind.RESIDUE:
        # The process found a position that it must not trade on.
        draft.put(draft.bot.desired._replace(closing=True))
    crashes = draft.bot.schedule.crashes.with_one(now, settings.restart_window)
    draft.put(draft.bot.schedule._replace(crashes=crashes))
    draft.log("ERROR", "bot_crashed", f"crashed: {error}", pid=process.pid)
    if crashes.are_too_many(settings.max_restarts, settings.restart_window):
        draft.put(draft.bot.desired._replace(closing=True))
        why = f"given up after too many crashes, the last one: {error}"
        mark_failed(draft, why, process.spec)
        return
    not_before = now + crashes.delay(draft.at.jitter)
    draft.put(draft.bot.schedule._replace(crashed=True, not_before=not_before))


def _unavailable(draft: Draft, process: BotProcess, error: str) -> None:
    """Start the bot again, later and later, never FAILED: nothing is wrong with its ledger.

    Without a record there is no exit either. When that has lasted, its position is closed as soon
    as it can be; the bot goes on once it is flat.
    """
    now, settings = draft.at.now, draft.at.settings
    outages = draft.bot.schedule.outages.with_one(now, settings.restart_window)
    delay = outages.delay(draft.at.jitter)
    too_many = outages.are_too_many(settings.max_restarts, settings.restart_window)
    if too_many and settings.store_url is None:  # the shared store may only be away from this host
        draft.put(draft.bot.desired._replace(closing=True))
        delay = LONGEST_DELAY
    draft.log("ERROR", "bot_crashed", f"its ledger is not available: {error}", pid=process.pid)
    schedule = draft.bot.schedule
    draft.put(schedule._replace(outages=outages, crashed=True, not_before=now + delay))
