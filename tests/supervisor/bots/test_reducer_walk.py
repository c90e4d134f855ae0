"""No sequence of facts about a bot leads to a transition without an arrow, which would raise."""

from __future__ import annotations

from datetime import datetime, timezone

from hypothesis import given
from hypothesis import settings as settings_of_the_search
from hypothesis import strategies as st
from support.facts import HELD, ROW, bot_process, ledger
from support.settings import settings

from execsvc.model.bot import InvalidRow
from execsvc.runner.job import Task
from execsvc.runner.report import End, EndKind, Snapshot
from execsvc.supervisor.bots.bot import Bot
from execsvc.supervisor.bots.effects import Act, ClaimAccount, ClassifySignal
from execsvc.supervisor.bots.facts import (
    AccountAsked,
    Circumstances,
    Ended,
    Fact,
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
from execsvc.supervisor.bots.reducer import handle
from execsvc.supervisor.bots.states import State

OPEN = ledger(position=HELD)
MOVED = ROW.model_copy(update={"binding": ROW.binding.model_copy(update={"symbol": "ETH/USDT"})})
NUMBERS = st.tuples(st.integers(0, 15), st.integers(0, 7))
ENDS = [*EndKind, None]
REPORTS = [Snapshot(phase="RUNNING"), Snapshot(phase="STOPPING", stopping_on="TERM")]
LEDGERS = [
    LedgerFound(),
    LedgerFound(OPEN),
    LedgerFound(away="locked"),
    LedgerFound(damage="no database"),
]


UTC = datetime(2026, 1, 2, tzinfo=timezone.utc)


class Walk:
    """One bot, the process that works for it, and what its ledger is said to hold."""

    def __init__(self) -> None:
        self.bot = Bot("b1")
        self.at = Circumstances(
            1000.0, UTC, ServiceMode.RUNNING, halted=False, settings=settings(), jitter=1.0
        )
        self.pid = 0
        self.ledger: LedgerFound = LedgerFound()

    def take(self, fact: Fact) -> None:
        self.bot, effects = handle(self.bot, fact, self.at)
        for effect in effects:
            if isinstance(effect, ClaimAccount):
                self.take(AccountAsked(effect.task, None if self.pid % 5 else "taken"))
            elif effect is Act.READ_LEDGER:
                self.take(LedgerRead(self.ledger))
            elif isinstance(effect, ClassifySignal):
                self.take(SignalClassified(one_of_many=self.pid % 2 == 0))

    def fork(self, fails: bool) -> None:
        processes = self.bot.processes
        for task, wanted in (
            (processes.queued, processes.owner is None),
            (Task.CHECK if processes.to_check else None, processes.check is None),
        ):
            if task is None or not wanted:
                continue
            self.pid += 1
            spec = processes.to_check if task is Task.CHECK else self.bot.desired.row
            made = bot_process(
                self.pid, spec, task=task, began=self.at.now, reported_at=self.at.now
            )
            self.take(NotStarted(task, "no") if fails else Started(made))

    def report(self, snapshot: Snapshot, of_check: bool) -> None:
        processes = self.bot.processes
        one = processes.check if of_check else processes.owner
        if one is not None:
            self.take(Reported(one.pid, snapshot))

    def end(self, kind: EndKind | None, of_check: bool, signalled: bool) -> None:
        processes = self.bot.processes
        one = processes.check if of_check else processes.owner
        if one is None:
            return
        end = None if kind is None else End(kind=kind, signal="TERM" if signalled else None)
        self.take(Ended(one.pid, 1, Snapshot(phase="STOPPING", end=end), self.ledger))

    def step(self, action: int, detail: int) -> None:
        """Something happens: one of sixteen things, in one of eight ways."""
        odd = detail % 2 == 1
        if action in (0, 1):
            self.take(RowListed(MOVED if odd else ROW, booting=False))
        elif action == 2:
            self.take(RowInvalid(InvalidRow(name="", reason="no"), booting=False))
        elif action == 3:
            self.take(Unlisted("gone"))
        elif action in (4, 5):
            self.fork(fails=detail == 0)
        elif action in (6, 7):
            self.report(REPORTS[action - 6], odd)
        elif action in (8, 9):
            self.end(ENDS[detail], of_check=action == 9 and odd, signalled=odd)
        elif action == 10:
            self.ledger = LEDGERS[detail % len(LEDGERS)]
        elif action == 11:
            self.at = self.at._replace(now=self.at.now + 4.0**detail)
            self.take(Occurrence.DUE)
        else:
            self.step_by_hand(action, odd)

    def step_by_hand(self, action: int, odd: bool) -> None:
        if action == 12:
            self.take(Occurrence.STOP_ASKED)
        elif action == 13:
            self.take(ReleaseAsked(abandons=odd))
        elif action == 14:
            self.at = self.at._replace(halted=odd)
            self.take(Occurrence.HALTED if odd else Occurrence.RESUMED)
        else:
            self.take(Occurrence.LEDGER_CHANGED if odd else Occurrence.LEDGER_READABLE)

    def stop(self, holds: bool) -> None:
        """The service stops, and the walk goes on for some steps."""
        self.at = self.at._replace(service=ServiceMode.KEEP if holds else ServiceMode.LIQUIDATE)
        self.take(Occurrence.SERVICE_STOPS)


def assert_sound(walk: Walk) -> None:
    found = walk.bot
    if found.processes.owner is not None:
        assert found.state in (State.BOOTING, State.RUNNING, State.STOPPING, State.LIQUIDATING)
        assert found.processes.queued is None
    if found.processes.queued is Task.TRADE:
        assert found.desired.listed is Listed.VALID
        assert found.hold_record.hold is None
    if found.runs_freely and found.hold_record.hold is not None:
        assert found.hold_record.hold.state is State.FAILED, "a HELD bot is told to stop"


@settings_of_the_search(max_examples=200, deadline=None)
@given(st.lists(NUMBERS, max_size=40), st.booleans(), st.lists(NUMBERS, max_size=10))
def test_no_sequence_of_facts_leads_to_a_forbidden_transition(
    steps: list[tuple[int, int]], holds: bool, last: list[tuple[int, int]]
) -> None:
    walk = Walk()
    for action, detail in steps:
        walk.step(action, detail)
        assert_sound(walk)
    walk.stop(holds)
    for action, detail in last:
        if action > 3:  # no listing is taken any more
            walk.step(action, detail)
    walk.take(Occurrence.OUT_OF_TIME)
