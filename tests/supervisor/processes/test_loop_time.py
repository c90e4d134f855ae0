"""Time as the loop lives it, and who is due."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from execsvc.supervisor.processes.loop_clock import SLACK, LoopClock, Timers


class Machine:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_waits_as_planned_count() -> None:
    machine = Machine()
    clock = LoopClock(machine)
    clock.plan(30.0)
    machine.now += 30.0
    clock.wake()
    assert clock.now == 130.0
    assert clock.gap == 0.0


def test_what_passes_beyond_the_wait_is_a_gap_and_does_not_count() -> None:
    machine = Machine()
    clock = LoopClock(machine)
    clock.plan(5.0)
    machine.now += 75.0
    clock.wake()
    assert clock.now == 105.0
    assert clock.gap == 70.0


def test_what_passes_while_it_works_is_a_gap_of_the_same_turn() -> None:
    machine = Machine()
    clock = LoopClock(machine)
    machine.now += 40.0
    clock.plan(5.0)
    machine.now += 75.0
    clock.wake()
    assert clock.gap == 40.0 + 70.0
    assert clock.now == 105.0
    clock.plan(5.0)
    machine.now += 5.0
    clock.wake()
    assert clock.gap == 0.0


def test_a_little_more_than_planned_is_no_gap() -> None:
    machine = Machine()
    clock = LoopClock(machine)
    clock.plan(5.0)
    machine.now += 5.0 + SLACK
    clock.wake()
    assert clock.now == 106.0


def test_a_stop_in_the_middle_of_the_work_is_a_gap_too() -> None:
    machine = Machine()
    clock = LoopClock(machine)
    clock.plan(5.0)
    clock.wake()
    machine.now += 70.0
    clock.plan(5.0)
    assert clock.now == 100.0
    assert clock.gap == 70.0


@given(st.lists(st.tuples(st.floats(0, 60), st.floats(0, 100)), max_size=30))
def test_it_never_goes_back_and_never_runs_ahead(turns: list[tuple[float, float]]) -> None:
    machine = Machine()
    clock = LoopClock(machine)
    for planned, passed in turns:
        before = clock.now
        clock.plan(planned)
        machine.now += passed
        clock.wake()
        assert before <= clock.now <= before + planned + SLACK + 1e-6
        assert clock.now <= machine.now


def test_timers_come_in_their_order_and_once() -> None:
    timers = Timers()
    timers.ask("b", 2.0)
    timers.ask("a", 1.0)
    timers.ask("c", 9.0)
    assert timers.next() == 1.0
    assert timers.due(2.0) == ["a", "b"]
    assert timers.due(2.0) == []
    assert timers.next() == 9.0


def test_the_earliest_moment_of_a_key_holds() -> None:
    timers = Timers()
    timers.ask("a", 5.0)
    timers.ask("a", 3.0)
    timers.ask("a", 7.0)
    assert timers.due(4.0) == ["a"]
    assert timers.due(10.0) == []
    timers.ask("a", 11.0)
    assert timers.due(11.0) == ["a"]


def test_nobody_is_due_for_ever() -> None:
    assert Timers().next() == float("inf")


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 50))))
def test_a_key_is_due_exactly_when_its_earliest_moment_has_come(
    asked: list[tuple[str, int]],
) -> None:
    timers = Timers()
    earliest: dict[str, int] = {}
    for key, when in asked:
        timers.ask(key, float(when))
        earliest[key] = min(when, earliest.get(key, when))
    for now in range(51):
        assert set(timers.due(float(now))) == {k for k, when in earliest.items() if when == now}


def test_how_late_it_wakes_counts_where_nothing_cut_the_wait_short() -> None:
    machine = Machine()
    clock = LoopClock(machine)
    for planned, waited in ((1.0, 1.25), (5.0, 0.5), (0.0, 0.0), (2.0, 72.0)):
        clock.plan(planned)
        machine.now += waited
        clock.wake()
    assert sum(clock.late.counts) == 3
    assert clock.late.counts[clock.late.bounds.index(0.25)] == 1
    assert clock.late.counts[-1] == 1
    assert clock.late.micros == 70_250_000


def test_what_a_turn_takes_beside_its_wait_counts() -> None:
    machine = Machine()
    clock = LoopClock(machine)
    for worked in (0.5, 0.0, 20.0):
        machine.now += worked
        clock.plan(1.0)
        machine.now += 1.0
        clock.wake()
    assert sum(clock.busy.counts) == 3
    assert clock.busy.counts[clock.busy.bounds.index(0.5)] == 1
    assert clock.busy.counts[-1] == 1
    assert clock.busy.micros == 20_500_000
