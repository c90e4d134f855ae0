"""A guard that cannot tell lets nothing in, and lets nothing fail."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.guarded import Desk

from execsvc.execution.guards import GuardLimits
from execsvc.model.order import Side

BREAKS: dict[str, Callable[[Desk], object]] = {
    "results": lambda desk: desk.ledger.connection.execute("DROP TABLE result"),
    "guards": lambda desk: desk.ledger.connection.execute("DROP TABLE guard"),
    "an order without its result": lambda desk: desk.ledger.connection.execute(
        "DELETE FROM order_result"
    ),
    "a result that is none": lambda desk: desk.ledger.connection.execute(
        "UPDATE result SET realised='much'"
    ),
    "an order of no time": lambda desk: desk.ledger.connection.execute(
        "UPDATE orders SET created_at='soon'"
    ),
}


@pytest.mark.parametrize("broken", BREAKS)
def test_a_guard_that_cannot_tell_lets_nothing_in_and_nothing_fail(desk: Desk, broken: str) -> None:
    desk.order(Side.BUY)
    BREAKS[broken](desk)
    desk.tick()
    assert not desk.enters()
    assert len(desk.tripped) == 1
    desk.tick()
    desk.start(GuardLimits())
    desk.tick()
    assert desk.enters(), "without a limit there is nothing to tell"


def test_an_order_that_lacks_its_result_is_found_after_a_day_of_good_ones(desk: Desk) -> None:
    desk.order(Side.BUY)
    desk.clock.advance(61)
    desk.tick()
    assert desk.enters()
    desk.order(Side.SELL)
    desk.ledger.connection.execute("DELETE FROM order_result WHERE client_order_id='c2'")
    desk.tick()
    assert (desk.enters(), desk.tripped) == (False, ["daily_loss"])
    desk.tick()
    assert not desk.enters(), "it is not forgotten"


def test_what_could_not_be_told_is_over_when_it_can(desk: Desk) -> None:
    desk.order(Side.BUY)
    desk.ledger.connection.execute("UPDATE result SET realised='much'")
    desk.tick()
    assert desk.tripped == ["daily_loss"]
    desk.ledger.connection.execute("UPDATE result SET realised='-3'")
    desk.tick()
    assert desk.enters()


def test_a_guard_of_a_newer_service_is_none_of_ours(desk: Desk) -> None:
    desk.ledger.connection.execute(
        "INSERT INTO guard VALUES ('moon_phase', 'full', '2026-01-01T00:00:00.000Z', 'it is')"
    )
    desk.tick()
    assert desk.enters()
    assert desk.tripped == []
