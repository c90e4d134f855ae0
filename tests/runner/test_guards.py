"""The guards of a bot, on a simulated clock: what trips, what it says, when it is over."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from ledger_things import BINDING
from support.clocks import HOUR
from support.guarded import ALL, NOON, Desk

from execsvc.errors import GuardRefused, OrderRefused
from execsvc.execution.guards import GuardLimits
from execsvc.model.bot import Mode
from execsvc.model.order import Fill, OrderState, Side

D = Decimal
LAST_SECOND = datetime(2026, 1, 1, 23, 59, 59, tzinfo=timezone.utc)


def test_within_its_limits_nothing_is_refused_and_nothing_said(desk: Desk) -> None:
    desk.tick()
    assert desk.enters("0.02")
    assert (desk.tripped, desk.said) == ([], [])


def test_an_entry_too_large_is_over_with_the_next_that_fits(desk: Desk) -> None:
    with pytest.raises(OrderRefused):
        desk.guards.admit_order(D("0.021"), D(50000), None)
    for _ in range(3):
        desk.tick()
        assert not desk.enters("0.021")
        assert desk.tripped == ["order_notional"]
        desk.clock.advance(1)
    (shown,) = desk.reporter.snapshot.guards
    assert shown["since"] == "2026-01-01T12:00:00.000Z"
    assert "1050" in shown["detail"] and "1000" in shown["detail"]
    desk.tick()
    assert desk.enters("0.02")
    assert desk.tripped == []
    assert desk.said == ["guard_tripped order_notional", "guard_cleared order_notional"]


def test_entries_within_a_minute(desk: Desk) -> None:
    for side in (Side.BUY, Side.SELL, Side.SELL, Side.BUY):  # the sales are exits
        desk.tick()
        assert desk.enters()
        desk.order(side)
        desk.clock.advance(10)
    desk.tick()
    assert not desk.enters()
    desk.start()  # a new process knows of them as well
    assert not desk.enters()
    desk.clock.advance(19.9)
    desk.tick()
    assert (desk.enters(), desk.tripped) == (False, ["order_rate"])
    desk.clock.advance(0.1)
    desk.tick()
    assert desk.tripped == [], "the first of them is a minute old"
    assert desk.enters()
    assert desk.said == ["guard_tripped order_rate", "guard_cleared order_rate"]


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({"side": Side.SELL, "short": True}, True),
        ({"side": Side.SELL}, False),
        ({"short": True}, False),
        ({"state": OrderState.NOT_EXECUTED, "fill": Fill(filled=D(0))}, True),
    ],
)
def test_what_counts_as_an_entry(desk: Desk, changes: dict[str, Any], counts: bool) -> None:
    desk.order(Side.BUY)
    desk.order(**{"side": Side.BUY, **changes})
    assert desk.enters() is not counts


@pytest.mark.parametrize("step", [-HOUR, HOUR])
def test_order_rate_clock_is_set_counts_the_minute_that_passed(desk: Desk, step: float) -> None:
    for _ in range(2):
        desk.order(Side.BUY)
    desk.clock.set_by(step)
    desk.clock.advance(59)
    assert not desk.enters()
    desk.clock.advance(1)
    assert desk.enters()


def test_order_rate_of_an_older_service_blocks_for_a_minute_at_most(desk: Desk) -> None:
    desk.ledger.connection.execute("DROP TABLE moment")
    for _ in range(2):
        desk.order(Side.BUY, created_at=NOON + timedelta(seconds=HOUR))
    assert desk.enters()
    for _ in range(2):
        desk.order(Side.BUY, created_at=NOON + timedelta(seconds=30))
    assert not desk.enters()


def test_a_day_of_losses_ends_at_midnight_of_utc(desk: Desk) -> None:
    desk.lose("9.99")
    desk.tick()
    assert desk.enters()
    desk.lose("0.01")
    desk.tick()
    assert desk.tripped == ["daily_loss"], "said when it happens, not when somebody enters"
    assert not desk.enters()
    desk.order(Side.BUY)
    desk.order(Side.SELL, "60000")
    desk.tick()
    assert not desk.enters(), "what an exit earns afterwards frees nothing"
    desk.start()
    desk.tick()
    assert not desk.enters(), "a new process keeps it"
    desk.clock.advance(
        (datetime(2026, 1, 1, 23, 59, 59, tzinfo=timezone.utc) - desk.clock.now()).seconds
    )
    desk.tick()
    assert not desk.enters()
    desk.clock.advance(1)
    desk.tick()
    assert desk.enters()
    assert desk.said == ["guard_tripped daily_loss", "guard_cleared daily_loss"]


def test_a_loss_on_the_next_day_counts_anew(desk: Desk) -> None:
    desk.lose("11")
    desk.tick()
    desk.clock.advance(86400)
    desk.lose("9")
    desk.tick()
    assert desk.enters()
    desk.guards.begin_tick()
    desk.lose("1")
    desk.guards.read("ticker", desk.clock.monotonic())
    assert not desk.enters(), "an entry is judged by what is true now, not by the last tick"
    assert desk.said == [
        "guard_tripped daily_loss",
        "guard_cleared daily_loss",
        "guard_tripped daily_loss",
    ]


def test_another_limit_is_judged_anew(desk: Desk) -> None:
    desk.lose("11")
    desk.tick()
    desk.start(ALL._replace(daily_loss=D(20)))
    desk.tick()
    assert desk.enters()
    desk.start(ALL)
    desk.tick()
    assert not desk.enters()
    desk.start(GuardLimits())
    desk.tick()
    assert (desk.enters("100"), desk.tripped) == (True, [])


def test_what_is_lost_on_paper_stops_nobody_who_trades(desk: Desk) -> None:
    desk.binding = BINDING.model_copy(update={"mode": Mode.PAPER})
    desk.start()
    desk.lose("11")
    desk.tick()
    assert not desk.enters()
    desk.binding = BINDING
    desk.start()
    desk.tick()
    assert desk.enters()


def test_data_that_grew_old_while_the_turn_was_waited_for(desk: Desk) -> None:
    desk.tick()
    desk.guards.admit()
    priced_at = desk.clock.monotonic()
    desk.clock.advance(5.1)
    with pytest.raises(GuardRefused, match=r"ticker is 5\.1 s old"):
        desk.guards.admit_order(D("0.01"), D(50000), priced_at)
    assert desk.tripped == ["data_age"]
    desk.tick()
    assert desk.tripped == [], "the tick before had read afresh"
    assert desk.enters()


def test_the_orders_own_ticker_counts_as_well(desk: Desk) -> None:
    desk.guards.begin_tick()
    priced_at = desk.clock.monotonic()
    desk.clock.advance(5.1)
    with pytest.raises(GuardRefused, match="the order's ticker"):
        desk.guards.admit_order(D("0.01"), D(50000), priced_at)
    desk.start(ALL)
    desk.guards.admit_order(D("0.01"), D(50000), None)


def test_a_book_that_stands_still(desk: Desk) -> None:
    stamp = round(NOON.timestamp() * 1000)
    for _ in range(10):
        desk.tick()
        desk.guards.read("depth", desk.clock.monotonic(), stamp)
        fresh = desk.clock.now() - NOON <= timedelta(seconds=5)
        assert desk.enters() is fresh
        desk.clock.advance(1)
    desk.tick()
    assert desk.tripped == ["data_age"]
    desk.guards.read("depth", desk.clock.monotonic(), stamp + 10_000)
    assert desk.enters()
    desk.tick()
    assert desk.tripped == []
    assert desk.said == ["guard_tripped data_age", "guard_cleared data_age"]


@pytest.mark.parametrize("stamp", [10**400, -(10**400)])
def test_a_stamp_beyond_all_time_ends_no_tick(desk: Desk, stamp: int) -> None:
    desk.tick()
    desk.guards.read("depth", desk.clock.monotonic(), stamp)
    assert not desk.enters()
    assert desk.tripped == ["data_age"]


def test_a_guard_that_flaps_is_said_once_a_minute(desk: Desk) -> None:
    for _ in range(100):
        desk.tick()
        desk.clock.advance(6)
        assert not desk.enters()
    assert len(desk.said) <= 2 * 11
