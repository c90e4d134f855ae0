"""The next step of a bot that has no process: every combination that decides something."""

from __future__ import annotations

from itertools import product

import pytest

from execsvc.supervisor.bots.next_step import Case, Listed, ServiceMode, Step, next_step
from execsvc.supervisor.bots.states import State

BASE = Case(
    service=ServiceMode.RUNNING,
    listed=Listed.VALID,
    hold=None,
    keeps=False,
    is_open=False,
    readable=True,
    moved=False,
    closing=False,
    halted=False,
)
START = (Step.START, State.BOOTING)


def test_a_listed_bot_starts() -> None:
    assert next_step(BASE) == START


def test_a_listed_bot_resumes_its_position() -> None:
    assert next_step(BASE._replace(is_open=True)) == START


@pytest.mark.parametrize("why", ["moved", "closing"])
def test_a_position_that_is_not_to_be_resumed_is_closed_first(why: str) -> None:
    assert next_step(BASE._replace(is_open=True, **{why: True}))[0] is Step.LIQUIDATE
    assert next_step(BASE._replace(**{why: True})) == START


def test_a_bot_that_is_gone_ends_flat() -> None:
    gone = BASE._replace(listed=Listed.GONE)
    assert next_step(gone) == (Step.REST, State.STOPPED)
    assert next_step(gone._replace(is_open=True)) == (Step.LIQUIDATE, State.STOPPED)


def test_an_invalid_row_without_a_runner_is_liquidated() -> None:
    invalid = BASE._replace(listed=Listed.INVALID)
    assert next_step(invalid) == (Step.REST, State.INVALID)
    assert next_step(invalid._replace(is_open=True)) == (Step.LIQUIDATE, State.INVALID)


@pytest.mark.parametrize("hold", [State.HELD, State.FAILED])
def test_a_hold_stands_once_it_is_flat(hold: State) -> None:
    judged = BASE._replace(hold=hold)
    assert next_step(judged) == (Step.REST, hold)
    assert next_step(judged._replace(is_open=True)) == (Step.LIQUIDATE, hold)


def test_a_bot_held_by_usr2_keeps_its_position_until_it_leaves() -> None:
    held = BASE._replace(hold=State.HELD, keeps=True, is_open=True)
    assert next_step(held) == (Step.REST, State.HELD)
    assert next_step(held._replace(listed=Listed.INVALID)) == (Step.REST, State.HELD)
    assert next_step(held._replace(service=ServiceMode.LIQUIDATE)) == (Step.REST, State.HELD)
    assert next_step(held._replace(listed=Listed.GONE))[0] is Step.LIQUIDATE


def test_what_cannot_be_read_cannot_be_closed() -> None:
    broken = BASE._replace(hold=State.FAILED, is_open=True, readable=False)
    for service, listed in product(ServiceMode, Listed):
        assert next_step(broken._replace(service=service, listed=listed)) == (
            Step.REST,
            State.FAILED,
        )


def test_before_the_first_listing_nothing_is_decided() -> None:
    unseen = BASE._replace(listed=Listed.UNSEEN, is_open=True)
    assert next_step(unseen) == (Step.REST, State.BACKOFF)
    assert next_step(unseen._replace(hold=State.HELD)) == (Step.REST, State.HELD)


def test_what_was_to_be_closed_anyway_does_not_wait_for_the_first_listing() -> None:
    unseen = BASE._replace(listed=Listed.UNSEEN, is_open=True, closing=True)
    assert next_step(unseen) == (Step.LIQUIDATE, State.BACKOFF)
    assert next_step(unseen._replace(hold=State.HELD)) == (Step.LIQUIDATE, State.HELD)


@pytest.mark.parametrize("listed", Listed)
def test_a_service_that_stops_closes_everything(listed: Listed) -> None:
    case = BASE._replace(service=ServiceMode.LIQUIDATE, listed=listed)
    assert next_step(case._replace(is_open=True))[0] is Step.LIQUIDATE
    assert next_step(case)[0] is Step.REST


def test_a_service_that_stops_rests_flat_bots_in_stopped() -> None:
    assert next_step(BASE._replace(service=ServiceMode.LIQUIDATE)) == (Step.REST, State.STOPPED)
    assert next_step(BASE._replace(service=ServiceMode.KEEP)) == (Step.REST, State.STOPPED)


@pytest.mark.parametrize("listed", Listed)
@pytest.mark.parametrize("closing", [True, False])
def test_a_service_that_holds_starts_nothing(listed: Listed, closing: bool) -> None:
    case = BASE._replace(service=ServiceMode.KEEP, listed=listed, is_open=True, closing=closing)
    assert next_step(case) == (Step.REST, State.HELD)


HALTED = BASE._replace(halted=True)


def test_in_a_halt_a_listed_bot_is_stopped() -> None:
    assert next_step(HALTED) == (Step.REST, State.STOPPED)
    assert next_step(HALTED._replace(is_open=True)) == (Step.LIQUIDATE, State.BOOTING)


@pytest.mark.parametrize(
    ("listed", "rest"),
    [
        (Listed.UNSEEN, State.STOPPED),
        (Listed.GONE, State.STOPPED),
        (Listed.INVALID, State.INVALID),
    ],
)
def test_in_a_halt_everybody_else_is_closed_at_once(listed: Listed, rest: State) -> None:
    case = HALTED._replace(listed=listed)
    assert next_step(case) == (Step.REST, rest)
    assert next_step(case._replace(is_open=True)) == (Step.LIQUIDATE, rest)


@pytest.mark.parametrize("hold", [State.HELD, State.FAILED])
@pytest.mark.parametrize("listed", Listed)
def test_a_hold_outlives_a_halt(hold: State, listed: Listed) -> None:
    case = HALTED._replace(hold=hold, listed=listed)
    assert next_step(case) == (Step.REST, hold)
    assert next_step(case._replace(is_open=True)) == (Step.LIQUIDATE, hold)


@pytest.mark.parametrize("service", [ServiceMode.RUNNING, ServiceMode.LIQUIDATE])
def test_a_halt_is_stronger_than_a_kept_position(service: ServiceMode) -> None:
    held = HALTED._replace(hold=State.HELD, keeps=True, is_open=True, service=service)
    assert next_step(held) == (Step.LIQUIDATE, State.HELD)


def test_in_a_halt_a_service_that_holds_still_holds() -> None:
    case = HALTED._replace(service=ServiceMode.KEEP, is_open=True)
    assert next_step(case) == (Step.REST, State.HELD)
    assert next_step(case._replace(is_open=False)) == (Step.REST, State.STOPPED)


def test_in_a_halt_nothing_open_is_left_alone_but_what_cannot_be_read() -> None:
    for case in every_case():
        if case.halted and case.is_open and case.service is not ServiceMode.KEEP:
            assert next_step(case)[0] is (Step.LIQUIDATE if case.readable else Step.REST)


def every_case() -> list[Case]:
    holds = (None, State.HELD, State.FAILED)
    flags = (False, True)
    cases = [
        Case(*parts)
        for parts in product(ServiceMode, Listed, holds, flags, flags, flags, flags, flags, flags)
    ]
    return [case for case in cases if not case.keeps or case.hold is State.HELD]


def test_nobody_trades_that_should_not() -> None:
    for case in every_case():
        step, _ = next_step(case)
        if step is Step.START:
            assert case.service is ServiceMode.RUNNING
            assert not case.halted
            assert case.listed is Listed.VALID
            assert case.hold is None
            assert not (case.is_open and case.readable and (case.moved or case.closing))


def test_nothing_flat_is_liquidated() -> None:
    for case in every_case():
        if next_step(case)[0] is Step.LIQUIDATE:
            assert case.is_open
            assert case.readable
            assert case.service is not ServiceMode.KEEP


def test_no_rest_is_a_state_with_a_process() -> None:
    for case in every_case():
        step, rest = next_step(case)
        if step is Step.REST:
            assert rest in (
                State.STOPPED,
                State.HELD,
                State.FAILED,
                State.INVALID,
                State.BACKOFF,
            )


@pytest.mark.parametrize("listed", list(Listed))
@pytest.mark.parametrize("service", list(ServiceMode))
def test_position_that_is_given_up_is_booked_before_anything_else(
    service: ServiceMode, listed: Listed
) -> None:
    given_up = BASE._replace(abandoning=True, is_open=True, service=service, listed=listed)
    for case in (given_up, given_up._replace(halted=True), given_up._replace(closing=True)):
        assert next_step(case)[0] is Step.ABANDON
    assert next_step(given_up._replace(readable=False))[0] is not Step.ABANDON


@pytest.mark.parametrize("service", list(ServiceMode))
@pytest.mark.parametrize("listed", list(Listed))
def test_next_step_while_another_host_has_the_account_is_rest(
    service: ServiceMode, listed: Listed
) -> None:
    case = BASE._replace(service=service, listed=listed, is_open=True, elsewhere=True)
    step, rest = next_step(case)
    assert step is Step.REST
    assert rest is not State.LIQUIDATING
