"""Moments that must not be lost when a look comes before them, and records that must not be."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from support.bot_process import bot_row
from support.facts import bot_process, changed
from support.parts import Parts
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
from execsvc.supervisor.bots.bot_records import PendingSignalDecision
from execsvc.supervisor.bots.bots import Bots
from execsvc.supervisor.bots.facts import Ended, LedgerFound, Occurrence
from execsvc.supervisor.bots.next_step import Listed
from execsvc.supervisor.bots.states import State
from execsvc.supervisor.processes.child import Child
from execsvc.supervisor.processes.loop_clock import LoopClock
from execsvc.supervisor.processes.restarting_process import RestartingProcess
from execsvc.supervisor.status.bot_view import last_error


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


@pytest.fixture
def ledgers() -> Ledgers:
    return Ledgers()


@pytest.fixture
def parts(tmp_path: Path, ledgers: Ledgers) -> Parts:
    made = Parts(settings(), store_in(tmp_path), cast(Any, ledgers))
    made.context.clock = LoopClock(lambda: 0.0)
    return made


@pytest.fixture
def bots(parts: Parts) -> Bots:
    return parts.bots


def row(bot_id: str = "b1", **changes: Any) -> BotSpec:
    return parse_row(bot_row(bot_id, **changes))


def listing(*specs: BotSpec, **invalid: str) -> Listing:
    refused = {bot_id: InvalidRow(name="", reason=why) for bot_id, why in invalid.items()}
    return Listing(bots={spec.bot_id: spec for spec in specs}, invalid=refused, nameless=[])


def look_at(parts: Parts, bots: Bots, now: float) -> None:
    """The loop's clock shows ``now``, and whoever is due is looked at."""
    parts.context.clock.now = now
    for key in parts.context.timers.due(now):
        bots.due(key)


def becomes(parts: Parts, **facts: Any) -> None:
    """The only bot has these facts from now on."""
    parts.fleet.bots["b1"] = changed(only(parts), **facts)


def only(parts: Parts) -> Bot:
    (bot,) = parts.fleet.bots.values()
    return bot


def test_a_pending_decision_survives_a_look_that_comes_too_early(parts: Parts, bots: Bots) -> None:
    bots.listed(listing(row()))
    pending = PendingSignalDecision(61.5, 59.5, keeps=False, retry_at=61.5)
    becomes(parts, queued=None, state=State.STOPPING, pending=pending)
    parts.context.timers.ask("b1", 60.0)
    parts.context.timers.ask("b1", pending.due)
    look_at(parts, bots, 60.0)
    assert parts.context.timers.next() == 61.5
    look_at(parts, bots, 61.5)
    assert only(parts).state is State.HELD


@pytest.mark.parametrize("moment", ["not_before", "liquidate_at"])
def test_a_delay_survives_a_look_that_comes_too_early(
    parts: Parts, bots: Bots, ledgers: Ledgers, moment: str
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
        becomes(parts, ledger=ledger, closing=True)
    becomes(parts, **{moment: 90.0})
    bots.apply("b1", Occurrence.DUE)
    parts.context.timers.ask("b1", 60.0)
    look_at(parts, bots, 60.0)
    assert only(parts).processes.queued is None
    look_at(parts, bots, 90.0)
    assert only(parts).processes.queued is not None


def test_a_restart_of_a_child_survives_a_look_that_comes_too_early(parts: Parts) -> None:
    forks: list[float] = []

    def fork() -> Child:
        forks.append(parts.context.clock.now)
        raise OSError(11, "no process")

    process = RestartingProcess(parts.context, "x", fork)
    parts.context.timers.ask(process.key, 3.0)
    process.start()
    for now in (3.0, 5.0):
        parts.context.clock.now = now
        for _ in parts.context.timers.due(now):
            process.due()
    assert forks == [0.0, 5.0]


@pytest.mark.says("fork_failed")
def test_a_machine_without_a_process_to_give_is_no_crash_of_the_bot(
    parts: Parts, bots: Bots, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(works: Sequence[object]) -> list[OSError]:
        return [BlockingIOError(11, "Resource temporarily unavailable") for _ in works]

    monkeypatch.setattr(parts.context.children, "fork_all", refuse)
    bots.listed(listing(row()))
    assert not parts.launcher.launch()
    bot = only(parts)
    assert (bot.state, bot.schedule.restart_count) == (State.BACKOFF, 0)
    assert last_error(bot) == "no process can be started: Resource temporarily unavailable"
    look_at(parts, bots, steps.NO_PROCESS)
    assert only(parts).processes.queued is Task.TRADE
    assert only(parts).hold_record.hold is None


def test_a_stopped_bot_is_forgotten_after_an_hour_and_not_before(parts: Parts, bots: Bots) -> None:
    bots.listed(listing(row()))
    becomes(parts, ever_ran=True)
    bots.gone(frozenset({"b1"}))
    assert only(parts).state is State.STOPPED
    look_at(parts, bots, 3599.0)
    assert parts.fleet.bots
    look_at(parts, bots, 3600.0)
    assert not parts.fleet.bots


def test_a_bot_that_never_ran_is_forgotten_at_once(parts: Parts, bots: Bots) -> None:
    bots.listed(listing(b2="pipeline is missing"))
    bots.gone(frozenset({"b2"}))
    assert not parts.fleet.bots


def test_a_ledger_that_cannot_be_read_is_never_forgotten(
    parts: Parts, bots: Bots, ledgers: Ledgers
) -> None:
    ledgers.damaged = True
    bots.listed(listing(row()))
    bots.gone(frozenset({"b1"}))
    assert only(parts).state is State.FAILED
    look_at(parts, bots, 1e6)
    assert only(parts).is_open


def test_a_reason_stays_until_the_row_is_good_again(parts: Parts, bots: Bots) -> None:
    bots.listed(listing(row()))
    becomes(parts, queued=None, owner=bot_process(1, row()))
    bots.listed(listing(b1="no symbol"))
    parts.context.timers.ask("b1", 1.0)
    look_at(parts, bots, 1.0)
    assert only(parts).desired.listed is Listed.INVALID
    assert last_error(only(parts)) == "no symbol"
    bots.listed(listing(row()))
    assert last_error(only(parts)) is None


def test_what_was_read_at_the_start_is_not_read_again(
    parts: Parts, bots: Bots, ledgers: Ledgers
) -> None:
    known = {"binding": None, "unsettled": False, "contested": 0, "failing": False}
    ledgers.states = [LedgerState(bot_id=f"b{n}", position=Position(), **known) for n in range(5)]
    bots.recover()
    assert not parts.fleet.bots
    bots.listed(listing(*[row(f"b{n}") for n in range(6)]))
    assert ledgers.reads == 1
    assert len(parts.fleet.queue) == 6


def test_a_failure_of_a_row_that_is_no_longer_listed_does_not_fail_the_new_one(
    parts: Parts, bots: Bots
) -> None:
    bots.listed(listing(row(params={"hold_duration": 61})))
    failed = Snapshot(end=End(kind=EndKind.FAILED, detail="raised"))
    becomes(parts, queued=None, owner=bot_process(1, row()))
    bots.apply("b1", Ended(1, 1, failed, LedgerFound()))
    assert only(parts).hold_record.hold is None
    becomes(parts, queued=None, owner=bot_process(2, only(parts).desired.row))
    bots.apply("b1", Ended(2, 1, failed, LedgerFound()))
    assert only(parts).hold_record.is_failed
