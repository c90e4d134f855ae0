"""The steps of a bot: the next one is decided, a process is queued, or a process is asked to end. Pure."""

from __future__ import annotations

from execsvc.events import EventName
from execsvc.model.bot import BotSpec
from execsvc.runner.job import Task
from execsvc.supervisor.bots.bot_process import BotProcess, StopMode
from execsvc.supervisor.bots.bot_records import Hold
from execsvc.supervisor.bots.draft import Draft
from execsvc.supervisor.bots.effects import (
    Act,
    ClaimAccount,
    Kill,
    Queue,
    SendStop,
    Wake,
)
from execsvc.supervisor.bots.facts import (
    AccountAsked,
    AccountSeen,
    LedgerFound,
    LedgerRead,
    NotStarted,
    Started,
)
from execsvc.supervisor.bots.next_step import Step, next_step
from execsvc.supervisor.bots.states import State

SHOWN_STOPPED = 3600.0
"""Seconds for which a bot that ended is shown."""
NO_LEDGER = 5.0
"""Seconds until a ledger that could not be read is read again."""
NO_PROCESS = 5.0
"""Seconds until a fork that failed is tried again."""
_START_TEXTS: dict[EventName, str] = {
    "process_started": "started",
    "bot_restarted": "restarted",
    "bot_liquidating": "liquidating",
}


def reconcile(draft: Draft) -> None:
    """Take the next step of the bot, if it has no process and no decision on a signal is pending."""
    bot = draft.bot
    if bot.processes.owner is not None or bot.hold_record.pending is not None or bot.stand_in:
        return
    draft.put(bot.processes._replace(queued=None))
    if bot.known.current:
        _take_step(draft)
    else:
        draft.do(Act.READ_LEDGER)


def ledger_read(draft: Draft, fact: LedgerRead) -> None:
    """Take the next step of the bot, by its ledger as it was read for that."""
    note_ledger(draft, fact.found)
    if draft.bot.known.current:
        _take_step(draft)
    else:
        _wait_for_ledger(draft)


def note_ledger(draft: Draft, found: LedgerFound) -> None:
    """Note the bot's ledger, which alone says if the bot is flat.

    The position in a ledger that cannot be read at present is unknown, and counts as open.
    """
    known = draft.bot.known
    if found.away is not None:
        draft.put(known._replace(unreadable=found.away, current=False))
        if known.unreadable is None:
            draft.log("WARNING", "ledger_unavailable", found.away)
    elif found.damage is not None:
        draft.put(known._replace(ledger=None, unreadable=found.damage, current=True))
        if draft.bot.hold_record.hold is None:
            mark_failed(draft, found.damage, draft.bot.desired.row)
    else:
        draft.put(known._replace(ledger=found.state, unreadable=None, current=True))
    if not draft.bot.is_open:
        draft.put(
            draft.bot.desired._replace(closing=False),
            draft.bot.known._replace(liquidation_failed=False),
        )


def mark_failed(draft: Draft, why: str, row: BotSpec | None, *, foreign: bool = False) -> None:
    """Mark the bot FAILED as ``row`` has it, until the row changes or an operator releases the bot.

    ``foreign``: another service trades its account.
    """
    hold = Hold(State.FAILED, why, row=row, foreign=foreign)
    draft.put(draft.bot.hold_record._replace(hold=hold))
    draft.log("ERROR", "bot_failed", f"failed: {why}")
    draft.bot = draft.bot.without_failure_of_another_row()


def enter_idle(draft: Draft, state: State) -> None:
    """Bring the bot into ``state``, one without a process that trades."""
    hold = draft.bot.hold_record.hold
    if draft.bot.state is not state:
        draft.become(state)
        if state is State.STOPPED:
            draft.log("INFO", "bot_stopped", "STOPPED")
        elif state is State.HELD and hold is not None:
            draft.log("WARNING", "bot_held", f"held: {hold.detail}")
    if state is State.STOPPED:
        shown_until = draft.bot.state_since + SHOWN_STOPPED
        if shown_until <= draft.at.now:  # the bot stays, listed or contested: decide again later
            shown_until = draft.at.now + SHOWN_STOPPED
        draft.do(Wake(shown_until))


def ask_to_stop(draft: Draft, mode: StopMode) -> None:
    """Have the signal to end sent to the bot's process; its time limit begins now."""
    before = draft.bot.processes.owner
    assert before is not None
    process = before.asked_to_stop(mode, draft.at.now)
    closing = draft.bot.desired.closing or mode is StopMode.STOP
    draft.put(
        draft.bot.processes._replace(owner=process), draft.bot.desired._replace(closing=closing)
    )
    if draft.bot.state in (State.BOOTING, State.RUNNING):
        draft.become(State.STOPPING)
    draft.do(SendStop(process.pid, mode), Wake(process.deadline(draft.at.settings)))


def kill(draft: Draft, process: BotProcess, why: str) -> None:
    """Have a process of the bot killed; the next step is decided when it is dead."""
    killed = process._replace(killed_for=why)
    processes = draft.bot.processes
    if processes.owner is process:
        draft.put(processes._replace(owner=killed))
    else:
        draft.put(processes._replace(check=killed))
    draft.log("ERROR", "process_killed", f"killing process {process.pid}: {why}", pid=process.pid)
    draft.do(Kill(process.pid))


def kill_check(draft: Draft) -> None:
    """Have the process killed that checks a changed row, if there is one."""
    check = draft.bot.processes.check
    if check is not None:
        draft.do(Kill(check.pid))


def _take_step(draft: Draft) -> None:
    step, rest = next_step(draft.bot.case(draft.at.service, halted=draft.at.halted))
    if step is Step.START:
        _start(draft)
    elif step is Step.LIQUIDATE:
        _liquidate(draft)
    elif step is Step.ABANDON:
        _abandon(draft)
    else:
        enter_idle(draft, rest)


def _wait_for_ledger(draft: Draft) -> None:
    """Let the bot rest as with an open position, and read its ledger again soon."""
    case = draft.bot.case(draft.at.service, halted=draft.at.halted)
    step, rest = next_step(case._replace(readable=True))
    waits = {Step.START: State.BACKOFF, Step.REST: rest}
    enter_idle(draft, waits.get(step, State.LIQUIDATING))
    draft.do(Wake(draft.at.now + NO_LEDGER))


def _start(draft: Draft) -> None:
    not_before = draft.bot.schedule.not_before
    if draft.at.now < not_before:
        enter_idle(draft, State.BACKOFF)
        draft.do(Wake(not_before))
        return
    _claim(draft, Task.TRADE)


def _liquidate(draft: Draft) -> None:
    enter_idle(draft, State.LIQUIDATING)
    liquidate_at = draft.bot.schedule.liquidate_at
    if draft.at.now < liquidate_at:
        draft.do(Wake(liquidate_at))
        return
    _claim(draft, Task.LIQUIDATE)


def _abandon(draft: Draft) -> None:
    enter_idle(draft, State.LIQUIDATING)
    not_before = draft.bot.schedule.not_before
    if draft.at.now < not_before:  # the machine had no process for it
        draft.do(Wake(not_before))
        return
    draft.put(draft.bot.processes._replace(queued=Task.ABANDON))
    draft.do(Queue(first=True))


def _claim(draft: Draft, task: Task) -> None:
    """Have the bot's account claimed for a process, where it would trade on an exchange."""
    binding = draft.bot.live_binding(task)
    keys = draft.bot.keys if draft.at.settings.store_url is not None else set()
    if binding is None and keys:
        draft.do(ClaimAccount(min(keys), task))
    elif binding is None:
        account_asked(draft, AccountAsked(task, None))
    else:
        draft.do(ClaimAccount(binding.key_id, task))


def account_asked(draft: Draft, fact: AccountAsked) -> None:
    """Queue the process for which the account was claimed, unless another service here trades it."""
    if fact.taken is None:
        if fact.task is Task.TRADE and draft.bot.state is not State.BOOTING:
            draft.become(State.BOOTING)
        draft.put(draft.bot.processes._replace(queued=fact.task))
        # The close of a position comes before the start of a bot.
        draft.do(Queue(first=fact.task is Task.LIQUIDATE))
    elif draft.at.settings.store_url is not None:
        account_seen(draft, AccountSeen(fact.taken))
    elif fact.task is Task.TRADE:
        mark_failed(draft, fact.taken, draft.bot.desired.row, foreign=True)
        reconcile(draft)
    else:  # nothing may be sold while another service trades the account
        retry_at = draft.at.now + draft.at.settings.liquidation_retry
        draft.put(
            draft.bot.processes._replace(error=fact.taken),
            draft.bot.known._replace(liquidation_failed=True),
            draft.bot.schedule._replace(liquidate_at=retry_at),
        )
        draft.do(Wake(retry_at))


def account_seen(draft: Draft, fact: AccountSeen) -> None:
    """Let the bot rest while another host has its account: its process ends without selling.

    Once this host has the account, the ledger is read anew: the other host has written to it.
    """
    before, process = draft.bot.known.elsewhere, draft.bot.processes.owner
    draft.put(draft.bot.known._replace(elsewhere=fact.elsewhere))
    if fact.elsewhere is None:
        if before is not None:
            draft.put(draft.bot.known._replace(current=False))
            reconcile(draft)
    elif process is not None and process.stop_mode is not StopMode.KEEP:
        ask_to_stop(draft, StopMode.KEEP)
    elif before is None:
        reconcile(draft)


def started(draft: Draft, fact: Started) -> None:
    """Note that a process works for the bot from now on."""
    process, bot = fact.process, draft.bot
    draft.do(Wake(process.deadline(draft.at.settings)))
    if process.task is Task.CHECK:
        draft.put(bot.processes._replace(check=process, to_check=None))
        return
    draft.put(
        bot.processes._replace(owner=process, queued=None, ever_ran=True),
        bot.known._replace(current=False),
    )
    event: EventName = "process_started"
    if process.task is Task.TRADE:
        draft.put(bot.desired._replace(given_back=None))
        if bot.schedule.crashed:
            event, restarts = "bot_restarted", bot.schedule.restart_count + 1
            draft.put(bot.schedule._replace(crashed=False, restart_count=restarts))
            draft.do(Act.COUNT_RESTART)
    else:
        event = "bot_liquidating"
    draft.log("INFO", event, f"{_START_TEXTS[event]}, pid {process.pid}", pid=process.pid)


def not_started(draft: Draft, fact: NotStarted) -> None:
    """Try again later, as the machine has no process to give; that is no crash of the bot."""
    bot, again = draft.bot, draft.at.now + NO_PROCESS
    if fact.task is Task.CHECK:
        draft.put(
            bot.desired._replace(row_error=f"the change cannot be checked: {fact.reason}"),
            bot.processes._replace(to_check=None),
            bot.schedule._replace(check_after=again),
        )
        draft.do(Wake(again))
        return
    error = f"no process can be started: {fact.reason}"
    draft.put(
        bot.processes._replace(error=error, queued=None),
        bot.schedule._replace(not_before=again, liquidate_at=again),
    )
    draft.log("ERROR", "fork_failed", error)
    reconcile(draft)
