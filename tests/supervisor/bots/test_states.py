"""One test for each transition, and one for each pair of states without one."""

from __future__ import annotations

import pytest

from execsvc.supervisor.bots.states import ARROWS, State, entered

S = State

ALL = {
    S.STOPPED: "BOOTING BACKOFF LIQUIDATING HELD FAILED INVALID",
    S.BOOTING: "RUNNING STOPPING BACKOFF LIQUIDATING STOPPED HELD FAILED INVALID",
    S.RUNNING: "STOPPING BOOTING BACKOFF LIQUIDATING FAILED INVALID",
    S.STOPPING: "BOOTING BACKOFF LIQUIDATING STOPPED HELD FAILED INVALID",
    S.BACKOFF: "BOOTING LIQUIDATING STOPPED HELD FAILED INVALID",
    S.LIQUIDATING: "BOOTING BACKOFF STOPPED HELD FAILED INVALID",
    S.HELD: "BOOTING BACKOFF LIQUIDATING STOPPED FAILED INVALID",
    S.FAILED: "BOOTING BACKOFF LIQUIDATING STOPPED HELD INVALID",
    S.INVALID: "BOOTING BACKOFF LIQUIDATING STOPPED HELD FAILED",
}
ARROWS_EXPECTED = [(state, State(name)) for state, names in ALL.items() for name in names.split()]
WITHOUT_PROCESS = (S.BACKOFF, S.LIQUIDATING, S.STOPPED, S.HELD, S.FAILED, S.INVALID)
FORBIDDEN = [(s, t) for s in State for t in State if (s, t) not in ARROWS_EXPECTED]


@pytest.mark.parametrize(("before", "state"), ARROWS_EXPECTED, ids=lambda part: part.name)
def test_entered_with_an_arrow_returns_the_state(before: State, state: State) -> None:
    assert entered(before, state) is state


@pytest.mark.parametrize(("before", "state"), FORBIDDEN, ids=lambda part: part.name)
def test_entered_without_an_arrow_raises(before: State, state: State) -> None:
    with pytest.raises(ValueError, match=f"from {before.value} to {state.value}"):
        entered(before, state)


def test_every_state_is_reached_and_left() -> None:
    assert {state for states in ARROWS.values() for state in states} == set(State)
    assert all(ARROWS[state] for state in State)


@pytest.mark.parametrize("state", WITHOUT_PROCESS, ids=lambda part: part.name)
@pytest.mark.parametrize("origin", [S.STOPPING, S.LIQUIDATING, S.BOOTING], ids=lambda p: p.name)
def test_states_without_a_process_are_reached_from_wherever_one_ends(
    origin: State, state: State
) -> None:
    if origin is not state:
        assert entered(origin, state) is state
