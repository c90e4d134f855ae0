"""Moments that must not be lost when a look comes before them, and records that must not be."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from support.bot_process import bot_row
from support.facts import changed, run
from support.settings import settings
from support.stores import store_in

from execsvc.clients.bot_service import Listing
from execsvc.errors import LedgerFailed
from execsvc.model.bot import BotSpec, InvalidRow, parse_row
from execsvc.model.position import Position
from execsvc.runner.job import Task
from execsvc.runner.report import End, EndKind, Snapshot
from execsvc.store.bot_state import LedgerState
from execsvc.supervisor.bots import steps
from execsvc.supervisor.bots.bot import Bot
from execsvc.supervisor.bots.bots import Bots
from execsvc.supervisor.bots.context import Context
from execsvc.supervisor.bots.facts import Ended, LedgerFound, Occurrence
from execsvc.supervisor.bots.hold import PendingSignalDecision
from execsvc.supervisor.bots.launch import launch
from execsvc.supervisor.bots.next_step import Listed
from execsvc.supervisor.bots.states import State
from execsvc.supervisor.processes.child import Child
from execsvc.supervisor.processes.loop_clock import LoopClock
from execsvc.supervisor.processes.restarting_process import RestartingProcess


class Ledgers:
    """Ledgers that say what a test tells them to."""

    def __init__(self) -> None:
        self.damaged = False
        self.reads = 0
        self.states: list[LedgerState] = []

    def read(self, _: str) -> LedgerState | None:
        self.reads += 1
        if self.damaged:
            raise LedgerFailed("damaged")
        return None

    def survey(self) -> tuple[list[LedgerState], dict[str, LedgerFailed]]:
        return self.states, {}


def nothing(*_: Any) -> int:
    raise AssertionError("nothing is forked here")


@pytest.fixture
def ledgers() -> Ledgers:
    return Ledgers()


@pytest.fixture
def context(tmp_path: Path, ledgers: Ledgers) -> Context:
    context = Context(settings(), nothing, store_in(tmp_path), ledgers)
    context.clock = LoopClock(lambda: 0.0)
    return context


@pytest.fixture
def bots(context: Context) -> Bots:
    return Bots(context)


def row(bot_id: str = "b1", **changes: Any) -> BotSpec:
    return parse_row(bot_row(bot_id, **changes))


def listing(*specs: BotSpec, **invalid: str) -> Listing:
    refused = {bot_id: InvalidRow(name="", reason=why) for bot_id, why in invalid.items()}
    return Listing(bots={spec.bot_id: spec for spec in specs}, invalid=refused, nameless=[])


def look_at(context: Context, bots: Bots, now: float) -> None:
    """The loop's clock shows ``now``, and whoever is due is looked at."""
    context.clock.now = now
    for key in context.timers.due(now):
        bots.due(key)


def becomes(context: Context, **facts: Any) -> None:
    """The only bot has these facts from now on."""
    context.bots["b1"] = changed(only(context), **facts)


def only(context: Context) -> Bot:
    (bot,) = context.bots.values()
    return bot


def test_a_pending_decision_survives_a_look_that_comes_too_early(
    context: Context, bots: Bots
) -> None:
    bots.listed(listing(row()))
    pending = PendingSignalDecision(61.5, 59.5, keeps=False, retry_at=61.5)
    becomes(context, queued=None, state=State.STOPPING, pending=pending)
    context.timers.ask("b1", 60.0)
    context.timers.ask("b1", pending.due)
    look_at(context, bots, 60.0)
    assert context.timers.next() == 61.5
    look_at(context, bots, 61.5)
    assert only(context).state is State.HELD


@pytest.mark.parametrize("moment", ["not_before", "liquidate_at"])
def test_a_delay_survives_a_look_that_comes_too_early(
    context: Context, bots: Bots, ledgers: Ledgers, moment: str
) -> None:
    bots.listed(listing(row()))
    if moment == "liquidate_at":
        ledger = LedgerState(
            bot_id="b1",
            binding=row().binding,
            position=Position(tracked=1),
            unsettled=False,
            contested=0,
            failing=False,
        )
        becomes(context, ledger=ledger, closing=True)
    becomes(context, **{moment: 90.0})
    bots.apply("b1", Occurrence.DUE)
    context.timers.ask("b1", 60.0)
    look_at(context, bots, 60.0)
    assert only(context).process.queued is None
    look_at(context, bots, 90.0)
    assert only(context).process.queued is not None


def test_a_restart_of_a_child_survives_a_look_that_comes_too_early(context: Context) -> None:
    forks: list[float] = []

    def fork() -> Child:
        forks.append(context.clock.now)
        raise OSError(11, "no process")

    process = RestartingProcess(context, "x", fork)
    context.timers.ask(process.key, 3.0)
    process.start()
    for now in (3.0, 5.0):
        context.clock.now = now
        for _ in context.timers.due(now):
            process.due()
    assert forks == [0.0, 5.0]


@pytest.mark.says("fork_failed")
def test_a_machine_without_a_process_to_give_is_no_crash_of_the_bot(
    context: Context, bots: Bots, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(works: Sequence[object]) -> list[OSError]:
        return [BlockingIOError(11, "Resource temporarily unavailable") for _ in works]

    monkeypatch.setattr(context.children, "fork_all", refuse)
    bots.listed(listing(row()))
    assert not launch(context, bots)
    bot = only(context)
    assert (bot.state, bot.schedule.restart_count) == (State.BACKOFF, 0)
    assert bot.last_error == "no process can be started: Resource temporarily unavailable"
    look_at(context, bots, steps.NO_PROCESS)
    assert only(context).process.queued is Task.TRADE
    assert only(context).holding.hold is None


def test_a_stopped_bot_is_forgotten_after_an_hour_and_not_before(
    context: Context, bots: Bots
) -> None:
    bots.listed(listing(row()))
    becomes(context, ever_ran=True)
    bots.gone(frozenset({"b1"}))
    assert only(context).state is State.STOPPED
    look_at(context, bots, 3599.0)
    assert context.bots
    look_at(context, bots, 3600.0)
    assert not context.bots


def test_a_bot_that_never_ran_is_forgotten_at_once(context: Context, bots: Bots) -> None:
    bots.listed(listing(b2="pipeline is missing"))
    bots.gone(frozenset({"b2"}))
    assert not context.bots


def test_a_ledger_that_cannot_be_read_is_never_forgotten(
    context: Context, bots: Bots, ledgers: Ledgers
) -> None:
    ledgers.damaged = True
    bots.listed(listing(row()))
    bots.gone(frozenset({"b1"}))
    assert only(context).state is State.FAILED
    look_at(context, bots, 1e6)
    assert only(context).is_open


def test_a_reason_stays_until_the_row_is_good_again(context: Context, bots: Bots) -> None:
    bots.listed(listing(row()))
    becomes(context, queued=None, run=run(1, row()))
    bots.listed(listing(b1="no symbol"))
    context.timers.ask("b1", 1.0)
    look_at(context, bots, 1.0)
    assert only(context).desired.listed is Listed.INVALID
    assert only(context).last_error == "no symbol"
    bots.listed(listing(row()))
    assert only(context).last_error is None


def test_what_was_read_at_the_start_is_not_read_again(
    context: Context, bots: Bots, ledgers: Ledgers
) -> None:
    known = {"binding": None, "unsettled": False, "contested": 0, "failing": False}
    ledgers.states = [LedgerState(bot_id=f"b{n}", position=Position(), **known) for n in range(5)]
    bots.recover()
    assert not context.bots
    bots.listed(listing(*[row(f"b{n}") for n in range(6)]))
    assert ledgers.reads == 1
    assert len(context.queue) == 6


def test_a_failure_of_a_row_that_is_no_longer_listed_does_not_fail_the_new_one(
    context: Context, bots: Bots
) -> None:
    bots.listed(listing(row(params={"hold_duration": 61})))
    failed = Snapshot(end=End(kind=EndKind.FAILED, detail="raised"))
    becomes(context, queued=None, run=run(1, row()))
    bots.apply("b1", Ended(1, 1, failed, LedgerFound()))
    assert only(context).holding.hold is None
    becomes(context, queued=None, run=run(2, only(context).desired.row))
    bots.apply("b1", Ended(2, 1, failed, LedgerFound()))
    assert only(context).holding.is_failed
