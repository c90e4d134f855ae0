"""A guard that cannot tell lets nothing in, and lets nothing fail."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.guarded import GuardedOrders

from execsvc.execution.guards import GuardLimits
from execsvc.model.order import Side

BREAKS: dict[str, Callable[[GuardedOrders], object]] = {
    "results": lambda order_service: order_service.ledger.connection.execute("DROP TABLE result"),
    "guards": lambda order_service: order_service.ledger.connection.execute("DROP TABLE guard"),
    "an order without its result": lambda order_service: order_service.ledger.connection.execute(
        "DELETE FROM order_result"
    ),
    "a result that is none": lambda order_service: order_service.ledger.connection.execute(
        "UPDATE result SET realised='much'"
    ),
    "an order of no time": lambda order_service: order_service.ledger.connection.execute(
        "UPDATE orders SET created_at='soon'"
    ),
}


@pytest.mark.parametrize("broken", BREAKS)
def test_a_guard_that_cannot_tell_lets_nothing_in_and_nothing_fail(
    order_service: GuardedOrders, broken: str
) -> None:
    order_service.order(Side.BUY)
    BREAKS[broken](order_service)
    order_service.tick()
    assert not order_service.enters()
    assert len(order_service.tripped) == 1
    order_service.tick()
    order_service.start(GuardLimits())
    order_service.tick()
    assert order_service.enters(), "without a limit there is nothing to tell"


def test_an_order_that_lacks_its_result_is_found_after_a_day_of_good_ones(
    order_service: GuardedOrders,
) -> None:
    order_service.order(Side.BUY)
    order_service.clock.advance(61)
    order_service.tick()
    assert order_service.enters()
    order_service.order(Side.SELL)
    order_service.ledger.connection.execute("DELETE FROM order_result WHERE client_order_id='c2'")
    order_service.tick()
    assert (order_service.enters(), order_service.tripped) == (False, ["daily_loss"])
    order_service.tick()
    assert not order_service.enters(), "it is not forgotten"


def test_what_could_not_be_told_is_over_when_it_can(order_service: GuardedOrders) -> None:
    order_service.order(Side.BUY)
    order_service.ledger.connection.execute("UPDATE result SET realised='much'")
    order_service.tick()
    assert order_service.tripped == ["daily_loss"]
    order_service.ledger.connection.execute("UPDATE result SET realised='-3'")
    order_service.tick()
    assert order_service.enters()


def test_a_guard_of_a_newer_service_is_none_of_ours(order_service: GuardedOrders) -> None:
    order_service.ledger.connection.execute(
        "INSERT INTO guard VALUES ('moon_phase', 'full', '2026-01-01T00:00:00.000Z', 'it is')"
    )
    order_service.tick()
    assert order_service.enters()
    assert order_service.tripped == []
