"""The reducer of bots, arrow by arrow, and what no sequence of facts may lead to."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from support.facts import HELD, ROW, bot, bot_process, changed, ledger
from support.settings import settings

from execsvc.model.bot import InvalidRow, Mode
from execsvc.runner.job import Task
from execsvc.runner.report import End, EndKind, Snapshot
from execsvc.store.abandoned import Abandoned
from execsvc.store.bot_state import LedgerState
from execsvc.supervisor.bots.bot import Bot
from execsvc.supervisor.bots.bot_process import StopMode
from execsvc.supervisor.bots.bot_records import Hold
from execsvc.supervisor.bots.effects import (
    Act,
    ClaimAccount,
    ClassifySignal,
    Effect,
    Kill,
    Queue,
    RememberHeld,
    SendStop,
    Wake,
    WriteLog,
)
from execsvc.supervisor.bots.facts import (
    AccountAsked,
    Circumstances,
    Ended,
    Fact,
    FoundUnreadable,
    LedgerFound,
    LedgerRead,
    NotStarted,
    Occurrence,
    ReleaseAsked,
    Reported,
    RowInvalid,
    RowListed,
    SignalClassified,
    Started,
    Unlisted,
)
from execsvc.supervisor.bots.next_step import Listed, ServiceMode
from execsvc.supervisor.bots.process_exit import OUTAGE_OVER
from execsvc.supervisor.bots.reducer import handle
from execsvc.supervisor.bots.states import ARROWS, State
from execsvc.supervisor.bots.steps import NO_LEDGER, SHOWN_STOPPED

NOW = 1000.0
UTC = datetime(2026, 1, 2, tzinfo=timezone.utc)
SETTINGS = settings()
AT = Circumstances(NOW, UTC, ServiceMode.RUNNING, halted=False, settings=SETTINGS, jitter=1.0)
OPEN = ledger(position=HELD)
MOVED = ROW.model_copy(update={"binding": ROW.binding.model_copy(update={"symbol": "ETH/USDT"})})
S = State
RUNS = bot(state=S.RUNNING, owner=bot_process(1))

IDLE: dict[State, dict[str, Any]] = {
    S.BOOTING: {"listed": Listed.VALID},
    S.BACKOFF: {"listed": Listed.VALID, "not_before": NOW + 5},
    S.LIQUIDATING: {"listed": Listed.VALID, "closing": True, "ledger": OPEN},
    S.STOPPED: {"listed": Listed.GONE},
    S.HELD: {"hold": Hold(S.HELD, "by hand")},
    S.FAILED: {"hold": Hold(S.FAILED, "no disk")},
    S.INVALID: {"listed": Listed.INVALID},
}
"""The facts of a bot without a process by which it is to be in each state."""
SHOWS = {S.RUNNING: Snapshot(phase="RUNNING"), S.STOPPING: Snapshot(phase="STOPPING")}
"""The report of a process that shows each state."""


def after(before: Bot, fact: Fact, at: Circumstances = AT) -> tuple[Bot, list[Effect]]:
    """The bot after ``fact`` and after the answers to its effects: no other service has its account."""
    found, effects = handle(before, fact, at)
    done: list[Effect] = []
    for effect in effects:
        done.append(effect)
        if isinstance(effect, ClaimAccount):
            found, more = after(found, AccountAsked(effect.task, None), at)
            done += more
        elif effect is Act.READ_LEDGER:
            found, more = after(found, LedgerRead(LedgerFound(found.known.ledger)), at)
            done += more
    return found, done


ALL_ARROWS = [(s, t) for s in State for t in State if t in ARROWS[s]]
NO_ARROWS = [(s, t) for s in State for t in State if s is not t and (s, t) not in ALL_ARROWS]


@pytest.mark.parametrize(("before", "state"), ALL_ARROWS, ids=lambda part: part.name)
def test_handle_takes_each_arrow(before: State, state: State) -> None:
    if state in IDLE:
        found, _ = after(bot(state=before, current=True, **IDLE[state]), Occurrence.DUE)
    else:
        found, _ = after(bot(state=before, owner=bot_process(1)), Reported(1, SHOWS[state]))
    assert found.state is state
    assert found.state_since == NOW


@pytest.mark.parametrize(("before", "state"), NO_ARROWS, ids=lambda part: part.name)
def test_handle_takes_no_other_arrow(before: State, state: State) -> None:
    if state in IDLE:
        with pytest.raises(ValueError, match="no transition"):
            after(bot(state=before, current=True, **IDLE[state]), Occurrence.DUE)
    else:
        found, _ = after(bot(state=before, owner=bot_process(1)), Reported(1, SHOWS[state]))
        assert found.state is before


def test_handle_leaves_the_bot_that_it_is_given_as_it_was() -> None:
    before = bot(state=S.RUNNING, owner=bot_process(1))
    found, _ = handle(before, Occurrence.STOP_ASKED, AT)
    assert found != before
    assert before == RUNS


# Each fact with what it changes, and the effects that it has.


def test_row_listed_for_a_new_bot_reads_its_ledger_claims_its_account_and_queues_a_process() -> (
    None
):
    found, effects = after(Bot("b1"), RowListed(ROW, booting=True))
    assert effects == [Act.READ_LEDGER, ClaimAccount("k1", Task.TRADE), Queue()]
    assert (found.state, found.processes.queued) == (S.BOOTING, Task.TRADE)
    assert found.desired.booting


def test_row_listed_again_changes_nothing() -> None:
    before = bot(state=S.BACKOFF, current=True)
    assert after(before, RowListed(ROW, booting=False)) == (before, [])


def test_row_listed_with_another_symbol_has_the_change_checked_while_the_bot_runs() -> None:
    found, effects = after(RUNS, RowListed(MOVED, booting=False))
    assert effects == [Queue()]
    assert found.processes.to_check == MOVED
    assert found.processes.owner == bot_process(1)


def test_row_listed_ends_failed_only_when_it_is_another_row() -> None:
    failed = bot(state=S.FAILED, hold=Hold(S.FAILED, "no", row=ROW), current=True, crashed=True)
    same, _ = after(changed(failed, listed=Listed.INVALID), RowListed(ROW, booting=False))
    assert same.state is S.FAILED
    other, _ = after(failed, RowListed(MOVED, booting=False))
    assert (other.state, other.hold_record.hold, other.schedule.crashed) == (S.BOOTING, None, False)


def test_row_invalid_leaves_a_runner_alone() -> None:
    fact = RowInvalid(InvalidRow(name="x", reason="no symbol"), booting=False)
    found, effects = after(RUNS, fact)
    assert (found.state, found.desired.row_error) == (S.RUNNING, "no symbol")
    assert [type(effect) for effect in effects] == [WriteLog]


def test_row_invalid_without_a_runner_closes_the_position() -> None:
    fact = RowInvalid(InvalidRow(name="x", reason="no symbol"), booting=False)
    found, effects = after(bot(state=S.BACKOFF, current=True, ledger=OPEN), fact)
    assert (found.state, found.processes.queued) == (S.LIQUIDATING, Task.LIQUIDATE)
    assert effects[-1] == Queue(first=True)


def test_unlisted_tells_the_runner_to_stop_and_kills_a_check() -> None:
    before = bot(state=S.RUNNING, owner=bot_process(1), check=bot_process(2))
    found, effects = after(before, Unlisted("no longer listed"))
    assert found.state is S.STOPPING
    assert found.desired.closing
    assert found.processes.owner == bot_process(1, stop_mode=StopMode.STOP, stop_since=NOW)
    assert effects == [
        Kill(2),
        WriteLog("INFO", "bot_unlisted", "no longer listed: told to stop"),
        SendStop(1, StopMode.STOP),
        Wake(SETTINGS.hang_timeout),
    ]


def test_unlisted_ends_a_hold_and_its_record() -> None:
    held = bot(state=S.HELD, hold=Hold(S.HELD, "x"), current=True)
    found, effects = after(held, Unlisted("gone"))
    assert (found.state, found.hold_record.hold) == (S.STOPPED, None)
    assert RememberHeld(None) in effects
    assert Wake(NOW + SHOWN_STOPPED) in effects


def test_started_counts_as_a_restart_after_a_crash_alone() -> None:
    crashed = bot(state=S.BOOTING, queued=Task.TRADE, crashed=True)
    found, effects = after(crashed, Started(bot_process(1)))
    assert (found.schedule.restart_count, found.schedule.crashed) == (1, False)
    assert (found.processes.owner, found.processes.queued) == (bot_process(1), None)
    assert Act.COUNT_RESTART in effects
    first, effects = after(changed(crashed, crashed=False), Started(bot_process(1)))
    assert first.schedule.restart_count == 0
    assert Act.COUNT_RESTART not in effects


def test_not_started_waits_and_is_no_crash() -> None:
    before = bot(state=S.BOOTING, queued=Task.TRADE, current=True)
    found, effects = after(before, NotStarted(Task.TRADE, "no memory"))
    assert (found.state, found.processes.queued) == (S.BACKOFF, None)
    assert found.schedule.crashes.times == ()
    assert Wake(NOW + 5) in effects


def crash(code: int = -9, found: LedgerState | None = None) -> Ended:
    return Ended(1, code, None, LedgerFound(found))


def test_ended_without_a_word_restarts_the_bot_at_once_then_later() -> None:
    first, _ = after(RUNS, crash())
    assert (first.state, first.processes.queued) == (S.BOOTING, Task.TRADE)
    assert first.processes.error == "killed by SIGKILL"
    second, effects = after(changed(first, owner=bot_process(1), state=S.RUNNING), crash())
    assert second.state is S.BACKOFF
    assert Wake(NOW + 1) in effects


def test_ended_once_too_often_fails_the_bot_and_closes_its_position() -> None:
    found = RUNS
    for _ in range((SETTINGS.max_restarts or 0) + 1):
        found, _ = after(changed(found, owner=bot_process(1), state=S.RUNNING), crash(found=OPEN))
    assert found.hold_record.is_failed
    assert (found.state, found.processes.queued) == (S.LIQUIDATING, Task.LIQUIDATE)


def test_ended_once_too_often_is_judged_by_the_limits_of_that_moment() -> None:
    reloaded = AT._replace(settings=settings(max_restarts="0"))
    found, _ = after(RUNS, crash(), reloaded)
    assert found.state is S.FAILED


def test_ended_on_a_signal_waits_for_the_decision_if_an_operator_meant_this_bot() -> None:
    on_term = Snapshot(end=End(kind=EndKind.STOPPED, signal="TERM"))
    ended = Ended(1, 0, on_term, LedgerFound())
    waits, effects = after(RUNS, ended)
    assert (waits.state, waits.processes.queued) == (S.STOPPING, None)
    pending = waits.hold_record.pending
    assert pending is not None
    assert Wake(pending.due) in effects
    later = AT._replace(now=pending.due)
    early, effects = after(waits, Occurrence.DUE)
    assert (early, effects) == (waits, [Wake(pending.due)])
    asked, effects = after(waits, Occurrence.DUE, later)
    assert (asked, effects) == (waits, [ClassifySignal(NOW)])
    meant, effects = after(waits, SignalClassified(one_of_many=False), later)
    assert (meant.state, meant.hold_record.is_held) == (S.HELD, True)
    assert RememberHeld(False) in effects
    many, _ = after(waits, SignalClassified(one_of_many=True), later)
    assert (many.state, many.schedule.crashed) == (S.BOOTING, True)


def test_ended_as_told_rests_the_bot_by_its_ledger() -> None:
    stopping = bot(
        state=S.STOPPING,
        listed=Listed.GONE,
        closing=True,
        owner=bot_process(1, stop_mode=StopMode.STOP),
    )
    flat, _ = after(stopping, crash(0))
    assert (flat.state, flat.desired.closing) == (S.STOPPED, False)
    left, _ = after(stopping, crash(0, OPEN))
    assert (left.state, left.processes.queued) == (S.LIQUIDATING, Task.LIQUIDATE)


def test_ledger_that_cannot_be_read_now_counts_as_open_and_is_read_again() -> None:
    away = LedgerRead(LedgerFound(away="locked"))
    found, effects = after(bot(current=False), away)
    assert found.is_open
    assert (found.state, found.known.current) == (S.BACKOFF, False)
    assert Wake(NOW + NO_LEDGER) in effects
    _, again = after(found, away)
    assert not [effect for effect in again if isinstance(effect, WriteLog)], "said once"


def test_ledger_that_is_damaged_fails_the_bot() -> None:
    found, _ = after(bot(current=False), LedgerRead(LedgerFound(damage="no database")))
    assert (found.state, found.hold_record.is_failed, found.is_open) == (S.FAILED, True, True)


@pytest.mark.parametrize("at_present", [True, False])
def test_found_unreadable_is_failed_unless_the_fault_may_pass(at_present: bool) -> None:
    stand_in = changed(Bot("lost"), stand_in=True)
    found, _ = after(stand_in, FoundUnreadable("no", at_present))
    assert found.state is (S.BACKOFF if at_present else S.FAILED)


def test_account_of_another_service_fails_a_start_and_puts_off_a_sale() -> None:
    flat, _ = handle(bot(current=True), AccountAsked(Task.TRADE, "taken"), AT)
    assert flat.hold_record.hold == Hold(S.FAILED, "taken", row=ROW, foreign=True)
    closing = bot(state=S.LIQUIDATING, current=True, ledger=OPEN, closing=True)
    left, effects = handle(closing, AccountAsked(Task.LIQUIDATE, "taken"), AT)
    assert (left.processes.queued, left.known.liquidation_failed) == (None, True)
    assert effects == (Wake(NOW + SETTINGS.liquidation_retry),)


def test_stop_asked_holds_the_bot_records_that_and_tells_the_runner() -> None:
    found, effects = after(RUNS, Occurrence.STOP_ASKED)
    assert (found.state, found.hold_record.is_held) == (S.STOPPING, True)
    assert RememberHeld(False) in effects
    assert SendStop(1, StopMode.STOP) in effects


def test_release_asked_that_abandons_ends_the_runner_first_and_then_books() -> None:
    told, effects = after(RUNS, ReleaseAsked(abandons=True))
    assert SendStop(1, StopMode.KEEP) in effects
    assert told.processes.owner is not None
    assert told.processes.owner.ends_by == NOW + SETTINGS.order_timeout + 5
    ended, _ = after(told, crash(0, OPEN))
    assert (ended.state, ended.processes.queued) == (S.LIQUIDATING, Task.ABANDON)


def test_halted_closes_and_resumed_starts_again() -> None:
    halted = AT._replace(halted=True)
    closing, _ = after(bot(state=S.BACKOFF, current=True, ledger=OPEN), Occurrence.HALTED, halted)
    assert (closing.state, closing.processes.queued) == (S.LIQUIDATING, Task.LIQUIDATE)
    flat, _ = after(bot(state=S.BACKOFF, current=True), Occurrence.HALTED, halted)
    assert flat.state is S.STOPPED
    again, _ = after(flat, Occurrence.RESUMED)
    assert (again.state, again.processes.queued) == (S.BOOTING, Task.TRADE)


@pytest.mark.parametrize(
    ("service", "told"),
    [(ServiceMode.LIQUIDATE, StopMode.STOP), (ServiceMode.KEEP, StopMode.KEEP)],
)
def test_service_stops_tells_the_runner_how(service: ServiceMode, told: StopMode) -> None:
    at = AT._replace(service=service)
    _, effects = after(RUNS, Occurrence.SERVICE_STOPS, at)
    assert SendStop(1, told) in effects


def test_out_of_time_kills_both_processes() -> None:
    at = AT._replace(service=ServiceMode.KEEP)
    found, effects = after(
        bot(state=S.STOPPING, owner=bot_process(1), check=bot_process(2)),
        Occurrence.OUT_OF_TIME,
        at,
    )
    assert [effect for effect in effects if isinstance(effect, Kill)] == [Kill(1), Kill(2)]
    _, again = after(found, Occurrence.OUT_OF_TIME, at)
    assert again == []


@pytest.mark.parametrize("reason", ["b1.db is locked", ""])
def test_reported_by_a_process_that_trades_for_long_ends_an_outage_whatever_its_reason(
    reason: str,
) -> None:
    before = bot(state=S.RUNNING, owner=bot_process(1, began=NOW - OUTAGE_OVER), outage=reason)
    found, _ = after(before, Reported(1, Snapshot(phase="RUNNING")))
    assert found.known.unavailable is None


def test_due_kills_a_process_that_is_silent_for_too_long() -> None:
    late = AT._replace(now=SETTINGS.hang_timeout)
    found, effects = after(RUNS, Occurrence.DUE, late)
    assert Kill(1) in effects
    assert found.processes.owner is not None
    assert found.processes.owner.killed_for == f"no heartbeat for {SETTINGS.hang_timeout:g} s"


def test_due_forgets_a_bot_that_is_over_for_an_hour() -> None:
    over = bot(state=S.STOPPED, listed=Listed.GONE, current=True, state_since=NOW)
    an_hour_later = AT._replace(now=NOW + SHOWN_STOPPED)
    _, effects = after(over, Occurrence.DUE, an_hour_later)
    assert effects == [Act.FORGET]


def test_due_forgets_a_bot_with_an_abandoned_position_only_when_that_is_a_day_ago() -> None:
    given_up = Abandoned(
        at=UTC,
        mode=Mode.LIVE,
        key_id="k1",
        symbol="BTC/USDT",
        tracked=Decimal(1),
        sold_short=Decimal(0),
    )
    left = ledger(abandoned=[given_up])
    over = bot(state=S.STOPPED, listed=Listed.GONE, current=True, ledger=left)
    for hours, forgotten in ((23, False), (25, True)):
        later = AT._replace(now=NOW + SHOWN_STOPPED, utc=UTC + timedelta(hours=hours))
        _, effects = after(over, Occurrence.DUE, later)
        assert (Act.FORGET in effects) is forgotten


@pytest.mark.parametrize("reached", [True, False])
def test_unlisted_lets_the_next_start_enter_after_a_stop_loss(reached: bool) -> None:
    guards = [{"guard": "stop_loss", "since": "x", "detail": "x"}] if reached else []
    snapshot = Snapshot(phase="RUNNING", guards=guards)
    _, effects = after(
        bot(state=S.RUNNING, owner=bot_process(1, snapshot=snapshot)), Unlisted("gone")
    )
    assert (Act.ALLOW_REENTRY in effects) is reached
