"""The guards of a bot, on a simulated clock: what trips, what it says, when it is over."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from support.clocks import HOUR
from support.guarded import ALL, NOON, GuardedOrders
from support.ledger_samples import BINDING

from execsvc.errors import GuardRefused, OrderRefused
from execsvc.execution.guards import GuardLimits
from execsvc.model.bot import Mode
from execsvc.model.order import Fill, OrderState, Side

D = Decimal
LAST_SECOND = datetime(2026, 1, 1, 23, 59, 59, tzinfo=timezone.utc)


def test_within_its_limits_nothing_is_refused_and_nothing_said(
    order_service: GuardedOrders,
) -> None:
    order_service.tick()
    assert order_service.enters("0.02")
    assert (order_service.tripped, order_service.said) == ([], [])


def test_an_entry_too_large_is_over_with_the_next_that_fits(order_service: GuardedOrders) -> None:
    with pytest.raises(OrderRefused):
        order_service.guards.admit(D("0.021"), D(50000), None)
    for _ in range(3):
        order_service.tick()
        assert not order_service.enters("0.021")
        assert order_service.tripped == ["order_notional"]
        order_service.clock.advance(1)
    (shown,) = order_service.reporter.snapshot.guards
    assert shown["since"] == "2026-01-01T12:00:00.000Z"
    assert "1050" in shown["detail"] and "1000" in shown["detail"]
    order_service.tick()
    assert order_service.enters("0.02")
    assert order_service.tripped == []
    assert order_service.said == ["guard_tripped order_notional", "guard_cleared order_notional"]


def test_entries_within_a_minute(order_service: GuardedOrders) -> None:
    for side in (Side.BUY, Side.SELL, Side.SELL, Side.BUY):  # the sales are exits
        order_service.tick()
        assert order_service.enters()
        order_service.order(side)
        order_service.clock.advance(10)
    order_service.tick()
    assert not order_service.enters()
    order_service.start()  # a new process knows of them as well
    assert not order_service.enters()
    order_service.clock.advance(19.9)
    order_service.tick()
    assert (order_service.enters(), order_service.tripped) == (False, ["order_rate"])
    order_service.clock.advance(0.1)
    order_service.tick()
    assert order_service.tripped == [], "the first of them is a minute old"
    assert order_service.enters()
    assert order_service.said == ["guard_tripped order_rate", "guard_cleared order_rate"]


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({"side": Side.SELL, "short": True}, True),
        ({"side": Side.SELL}, False),
        ({"short": True}, False),
        ({"state": OrderState.NOT_EXECUTED, "fill": Fill(filled=D(0))}, True),
    ],
)
def test_what_counts_as_an_entry(
    order_service: GuardedOrders, changes: dict[str, Any], counts: bool
) -> None:
    order_service.order(Side.BUY)
    order_service.order(**{"side": Side.BUY, **changes})
    assert order_service.enters() is not counts


@pytest.mark.parametrize("step", [-HOUR, HOUR])
def test_order_rate_clock_is_set_counts_the_minute_that_passed(
    order_service: GuardedOrders, step: float
) -> None:
    for _ in range(2):
        order_service.order(Side.BUY)
    order_service.clock.set_by(step)
    order_service.clock.advance(59)
    assert not order_service.enters()
    order_service.clock.advance(1)
    assert order_service.enters()


def test_order_rate_of_an_older_service_blocks_for_a_minute_at_most(
    order_service: GuardedOrders,
) -> None:
    order_service.ledger.connection.execute("DROP TABLE moment")
    for _ in range(2):
        order_service.order(Side.BUY, created_at=NOON + timedelta(seconds=HOUR))
    assert order_service.enters()
    for _ in range(2):
        order_service.order(Side.BUY, created_at=NOON + timedelta(seconds=30))
    assert not order_service.enters()


def test_a_day_of_losses_ends_at_midnight_of_utc(order_service: GuardedOrders) -> None:
    order_service.lose("9.99")
    order_service.tick()
    assert order_service.enters()
    order_service.lose("0.01")
    order_service.tick()
    assert order_service.tripped == ["daily_loss"], "said when it happens, not when somebody enters"
    assert not order_service.enters()
    order_service.order(Side.BUY)
    order_service.order(Side.SELL, "60000")
    order_service.tick()
    assert not order_service.enters(), "what an exit earns afterwards frees nothing"
    order_service.start()
    order_service.tick()
    assert not order_service.enters(), "a new process keeps it"
    order_service.clock.advance(
        (datetime(2026, 1, 1, 23, 59, 59, tzinfo=timezone.utc) - order_service.clock.now()).seconds
    )
    order_service.tick()
    assert not order_service.enters()
    order_service.clock.advance(1)
    order_service.tick()
    assert order_service.enters()
    assert order_service.said == ["guard_tripped daily_loss", "guard_cleared daily_loss"]


def test_a_loss_on_the_next_day_counts_anew(order_service: GuardedOrders) -> None:
    order_service.lose("11")
    order_service.tick()
    order_service.clock.advance(86400)
    order_service.lose("9")
    order_service.tick()
    assert order_service.enters()
    order_service.guards.begin_tick()
    order_service.lose("1")
    order_service.guards.read("ticker", order_service.clock.monotonic())
    assert not order_service.enters(), (
        "an entry is judged by what is true now, not by the last tick"
    )
    assert order_service.said == [
        "guard_tripped daily_loss",
        "guard_cleared daily_loss",
        "guard_tripped daily_loss",
    ]


def test_another_limit_is_judged_anew(order_service: GuardedOrders) -> None:
    order_service.lose("11")
    order_service.tick()
    order_service.start(ALL._replace(daily_loss=D(20)))
    order_service.tick()
    assert order_service.enters()
    order_service.start(ALL)
    order_service.tick()
    assert not order_service.enters()
    order_service.start(GuardLimits())
    order_service.tick()
    assert (order_service.enters("100"), order_service.tripped) == (True, [])


def test_what_is_lost_on_paper_stops_nobody_who_trades(order_service: GuardedOrders) -> None:
    order_service.binding = BINDING.model_copy(update={"mode": Mode.PAPER})
    order_service.start()
    order_service.lose("11")
    order_service.tick()
    assert not order_service.enters()
    order_service.binding = BINDING
    order_service.start()
    order_service.tick()
    assert order_service.enters()


def test_data_that_grew_old_while_the_turn_was_waited_for(order_service: GuardedOrders) -> None:
    order_service.tick()
    order_service.guards.check_entry()
    priced_at = order_service.clock.monotonic()
    order_service.clock.advance(5.1)
    with pytest.raises(GuardRefused, match=r"ticker is 5\.1 s old"):
        order_service.guards.admit(D("0.01"), D(50000), priced_at)
    assert order_service.tripped == ["data_age"]
    order_service.tick()
    assert order_service.tripped == [], "the tick before had read afresh"
    assert order_service.enters()


def test_the_orders_own_ticker_counts_as_well(order_service: GuardedOrders) -> None:
    order_service.guards.begin_tick()
    priced_at = order_service.clock.monotonic()
    order_service.clock.advance(5.1)
    with pytest.raises(GuardRefused, match="the order's ticker"):
        order_service.guards.admit(D("0.01"), D(50000), priced_at)
    order_service.start(ALL)
    order_service.guards.admit(D("0.01"), D(50000), None)


def test_a_book_that_stands_still(order_service: GuardedOrders) -> None:
    stamp = round(NOON.timestamp() * 1000)
    for _ in range(10):
        order_service.tick()
        order_service.guards.read("depth", order_service.clock.monotonic(), stamp)
        fresh = order_service.clock.now() - NOON <= timedelta(seconds=5)
        assert order_service.enters() is fresh
        order_service.clock.advance(1)
    order_service.tick()
    assert order_service.tripped == ["data_age"]
    order_service.guards.read("depth", order_service.clock.monotonic(), stamp + 10_000)
    assert order_service.enters()
    order_service.tick()
    assert order_service.tripped == []
    assert order_service.said == ["guard_tripped data_age", "guard_cleared data_age"]


@pytest.mark.parametrize("stamp", [10**400, -(10**400)])
def test_a_stamp_beyond_all_time_ends_no_tick(order_service: GuardedOrders, stamp: int) -> None:
    order_service.tick()
    order_service.guards.read("depth", order_service.clock.monotonic(), stamp)
    assert not order_service.enters()
    assert order_service.tripped == ["data_age"]


def test_a_guard_that_flaps_is_said_once_a_minute(order_service: GuardedOrders) -> None:
    for _ in range(100):
        order_service.tick()
        order_service.clock.advance(6)
        assert not order_service.enters()
    assert len(order_service.said) <= 2 * 11
