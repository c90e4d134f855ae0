"""The first acts of a halt, and the bots that it leaves alone; without processes."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from support.bot_process import bot_row
from support.facts import bot_process, changed
from support.parts import Parts
from support.settings import settings
from support.store_files import BALLAST
from support.stores import store_in

from execsvc.clients.bot_service import Listing
from execsvc.clock import monotonic
from execsvc.errors import LedgerFailed
from execsvc.model.bot import parse_row
from execsvc.runner.job import Task
from execsvc.store.bot_state import LedgerState
from execsvc.supervisor.bots import steps
from execsvc.supervisor.bots.bots import Bots
from execsvc.supervisor.bots.facts import GivenBack, Occurrence
from execsvc.supervisor.bots.fleet import ForkedProcess
from execsvc.supervisor.bots.states import State
from execsvc.supervisor.control.operator_calls import OperatorCalls
from execsvc.supervisor.listing.reconciler import ListingReconciler
from execsvc.supervisor.processes.child import Child
from execsvc.supervisor.processes.loop_clock import LoopClock
from execsvc.workers.lines import Lines


class Ledgers:
    """No bot has one."""

    def read(self, _: str) -> LedgerState | None:
        return None

    def survey(self) -> tuple[list[LedgerState], dict[str, LedgerFailed]]:
        return [], {}


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    made = Parts(settings(state_dir=str(tmp_path)), store_in(tmp_path), cast(Any, Ledgers()))
    made.context.clock = LoopClock(lambda: 0.0)
    return made


@pytest.fixture
def bots(parts: Parts) -> Bots:
    """Three listed bots, whose processes are still to be forked."""
    made = parts.bots
    rows = {name: parse_row(bot_row(name)) for name in ("b1", "b2", "b3")}
    made.listed(Listing(bots=rows, invalid={}, nameless=[]))
    return made


def becomes(parts: Parts, bot_id: str, **facts: Any) -> None:
    """The bot has these facts from now on."""
    parts.fleet.bots[bot_id] = changed(parts.fleet.bots[bot_id], **facts)


def all_run(parts: Parts) -> None:
    """Each bot has a process of its own, with the pids 0, 1, 2."""
    for pid, (bot_id, bot) in enumerate(list(parts.fleet.bots.items())):
        child = cast(Child, SimpleNamespace(pid=pid))
        parts.fleet.processes[pid] = ForkedProcess(bot_id, child, Lines(-1, 0))
        trades = bot_process(pid, bot.desired.row)
        becomes(parts, bot_id, queued=None, state=State.RUNNING, owner=trades)


def test_it_is_on_the_disk_before_the_first_bot_is_told(
    parts: Parts, bots: Bots, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []

    def tell(child: Child, _: int) -> None:
        assert store_in(tmp_path).halt().current is not None
        told.append(child.pid)

    monkeypatch.setattr(parts.context.children, "send_signal", tell)
    all_run(parts)
    assert parts.halting.halt("now") is None
    assert told == [0, 1, 2]


def test_what_is_queued_is_not_forked_any_more(parts: Parts, bots: Bots) -> None:
    assert [bot.processes.queued for bot in parts.fleet.bots.values()] == [Task.TRADE] * 3
    parts.halting.halt(None)
    parts.launcher.launch()
    assert {bot.state for bot in parts.fleet.bots.values()} == {State.STOPPED}


def test_who_stops_on_a_signal_by_hand_is_not_told_as_well(
    parts: Parts, bots: Bots, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []
    monkeypatch.setattr(
        parts.context.children, "send_signal", lambda child, _: told.append(child.pid)
    )
    all_run(parts)
    signalled = bot_process(1, parts.fleet.bots["b2"].desired.row, stop_since=0.0)
    becomes(parts, "b2", owner=signalled)
    parts.halting.halt(None)
    assert told == [0, 2]
    assert parts.fleet.bots["b2"].processes.owner == signalled
    bots.apply("b2", Occurrence.STOP_ASKED)
    assert told == [0, 2, 1]


def test_a_full_disk_gives_up_its_ballast_first(
    parts: Parts, bots: Bots, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / BALLAST).write_bytes(b"x")
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_bavail=0, f_frsize=4096))
    parts.halting.halt(None)
    assert not (tmp_path / BALLAST).exists()


def test_in_a_halt_everybody_listed_is_at_stake(parts: Parts, bots: Bots) -> None:
    for bot_id in list(parts.fleet.bots):
        becomes(parts, bot_id, queued=None)
    assert bots.at_stake() == set()
    parts.halting.halt(None)
    assert bots.at_stake() == {"b1", "b2", "b3"}


def test_a_bot_that_stays_stopped_is_not_looked_at_without_end(parts: Parts, bots: Bots) -> None:
    parts.halting.halt(None)
    parts.context.clock.now = steps.SHOWN_STOPPED
    for key in parts.context.timers.due(parts.context.clock.now):
        bots.due(key)
    assert len(parts.fleet.bots) == 3
    assert parts.context.timers.next() == 2 * steps.SHOWN_STOPPED


def test_resume_starts_at_once_whatever_it_waited_for(parts: Parts, bots: Bots) -> None:
    becomes(parts, "b1", not_before=60.0, crashed=True)
    parts.halting.halt(None)
    parts.halting.resume()
    bot = parts.fleet.bots["b1"]
    assert (bot.state, bot.processes.queued) == (State.BOOTING, Task.TRADE)
    assert not bot.schedule.crashed


@pytest.mark.parametrize("call", ["resume", "release"])
def test_bot_whose_stop_is_being_reported_starts_by_a_later_listing_only(
    parts: Parts, bots: Bots, call: str
) -> None:
    listing = Listing(bots={"b1": parse_row(bot_row("b1"))}, invalid={}, nameless=[])
    reconciler = ListingReconciler(parts.context.settings, bots, lambda: None)
    calls = OperatorCalls(parts.fleet, bots, parts.halting, reconciler.await_row).by_name
    becomes(parts, "b1", queued=None)
    parts.halting.halt(None)
    bots.apply("b1", GivenBack("trading is halted"))
    before = monotonic()

    calls[call]({"bot_id": "b1"})
    reconciler.take(listing, unchanged=True, began=before)
    bot = parts.fleet.bots["b1"]
    assert (bot.state, bot.processes.queued) == (State.STOPPED, None)

    parts.halting.resume()
    reconciler.take(listing, unchanged=True, began=monotonic())
    bot = parts.fleet.bots["b1"]
    assert (bot.state, bot.processes.queued) == (State.BOOTING, Task.TRADE)
