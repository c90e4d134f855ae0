"""One test for each arrow, and none that is not there."""

from __future__ import annotations

import pytest

from execsvc.supervisor.bots.states import ARROWS, TOWARDS, Event, State, after

S, E = State, Event

ALL = {
    S.STOPPED: "STARTS>BOOTING WAITS>BACKOFF LIQUIDATES>LIQUIDATING HOLDS>HELD FAILS>FAILED REFUSES>INVALID",
    S.BOOTING: "TICKS>RUNNING STOPS>STOPPING WAITS>BACKOFF LIQUIDATES>LIQUIDATING ENDS>STOPPED HOLDS>HELD"
    " FAILS>FAILED REFUSES>INVALID",
    S.RUNNING: "STOPS>STOPPING STARTS>BOOTING WAITS>BACKOFF LIQUIDATES>LIQUIDATING FAILS>FAILED"
    " REFUSES>INVALID",
    S.STOPPING: "STARTS>BOOTING WAITS>BACKOFF LIQUIDATES>LIQUIDATING ENDS>STOPPED HOLDS>HELD FAILS>FAILED"
    " REFUSES>INVALID",
    S.BACKOFF: "STARTS>BOOTING LIQUIDATES>LIQUIDATING ENDS>STOPPED HOLDS>HELD FAILS>FAILED REFUSES>INVALID",
    S.LIQUIDATING: "STARTS>BOOTING WAITS>BACKOFF ENDS>STOPPED HOLDS>HELD FAILS>FAILED REFUSES>INVALID",
    S.HELD: "STARTS>BOOTING WAITS>BACKOFF LIQUIDATES>LIQUIDATING ENDS>STOPPED FAILS>FAILED REFUSES>INVALID",
    S.FAILED: "STARTS>BOOTING WAITS>BACKOFF LIQUIDATES>LIQUIDATING ENDS>STOPPED HOLDS>HELD REFUSES>INVALID",
    S.INVALID: "STARTS>BOOTING WAITS>BACKOFF LIQUIDATES>LIQUIDATING ENDS>STOPPED HOLDS>HELD FAILS>FAILED",
}
EXPECTED = {
    (state, Event[arrow.split(">")[0]]): State(arrow.split(">")[1])
    for state, arrows in ALL.items()
    for arrow in arrows.split()
}


@pytest.mark.parametrize(("state", "event"), EXPECTED, ids=lambda part: part.name)
def test_arrow(state: State, event: Event) -> None:
    assert after(state, event) is EXPECTED[state, event]


NO_ARROWS = [(s, e) for s in State for e in Event if (s, e) not in EXPECTED]


@pytest.mark.parametrize(("state", "event"), NO_ARROWS, ids=lambda part: part.name)
def test_no_other_arrow(state: State, event: Event) -> None:
    with pytest.raises(KeyError):
        after(state, event)


def test_every_state_is_reached_and_left() -> None:
    assert set(ARROWS.values()) == set(State)
    assert {state for state, _ in ARROWS} == set(State)


@pytest.mark.parametrize("state", TOWARDS)
def test_resting_states_are_reached_from_wherever_a_process_ends(state: State) -> None:
    for origin in (S.STOPPING, S.LIQUIDATING, S.BOOTING):
        if origin is not state:
            assert after(origin, TOWARDS[state]) is state
