"""Conditions under which a guard trips: every edge."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execsvc.execution.guards import decisions
from execsvc.execution.guards.decisions import Read, Trip
from execsvc.execution.guards.limits import GuardName

D = Decimal
AT = datetime(2026, 1, 1, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("limit", "amount", "price", "trips"),
    [
        (None, "1000", "50000", False),
        (None, "1000", None, False),
        ("1000", "0.02", "50000", False),
        ("1000", "0.02000001", "50000", True),
        ("0.000001", "0.00001", "50000", True),
        ("1000", "0.0001", None, True),
    ],
)
def test_notional(limit: str | None, amount: str, price: str | None, trips: bool) -> None:
    given_limit = None if limit is None else D(limit)
    given_price = None if price is None else D(price)
    trip = decisions.order_notional(given_limit, D(amount), given_price)
    assert (trip is not None) is trips
    assert trip is None or trip.guard is GuardName.ORDER_NOTIONAL


@pytest.mark.parametrize(
    ("limit", "sent", "trips"), [(None, 99, False), (1, 0, False), (1, 1, True), (5, 4, False)]
)
def test_rate(limit: int | None, sent: int, trips: bool) -> None:
    assert (decisions.order_rate(limit, [AT] * sent) is not None) is trips


@pytest.mark.parametrize(
    ("limit", "realised", "trips"),
    [
        (None, "-1000000", False),
        ("10", "-9.99999999", False),
        ("10", "-10", True),
        ("10", "-10.00000001", True),
        ("10", "1000", False),
        ("0.00000001", "0", False),
    ],
)
def test_daily_loss(limit: str | None, realised: str, trips: bool) -> None:
    trip = decisions.daily_loss(None if limit is None else D(limit), D(realised))
    assert (trip is not None) is trips
    assert trip is None or realised.rstrip("0") in trip.detail


@pytest.mark.parametrize(
    ("read", "moment", "words"),
    [
        (Read("ticker", 100.0, 100.5), 105.0, None),
        (Read("ticker", 100.0, 100.5), 105.1, "ticker is 5.1 s old"),
        (Read("depth", 100.0, 100.5, 4.5), 101.0, None),
        (Read("depth", 100.0, 100.5, 4.5), 101.1, "depth is 5.1 s old"),
        (Read("depth", 100.0, 100.5, -5.0), 101.0, None),
        (Read("depth", 100.0, 100.5, -5.1), 101.0, "5.1 s ahead of our clock"),
        # A stamp that is a little ahead does not make what was read long ago any younger.
        (Read("depth", 100.0, 100.5, -4.0), 105.1, "depth is 5.1 s old"),
        # Seconds where milliseconds were meant.
        (Read("depth", 100.0, 100.5, 1.7e9), 101.0, "old"),
    ],
)
def test_data_age(read: Read, moment: float, words: str | None) -> None:
    for limit in (None, 5.0):
        trip = decisions.data_age(limit, [Read("trades", moment, moment), read], moment)
        if words is None or limit is None:
            assert trip is None
        else:
            assert trip is not None and words in trip.detail


def test_a_tick_that_read_nothing_is_no_proof_of_fresh_data() -> None:
    assert not decisions.was_fresh(5.0, [])
    assert decisions.was_fresh(5.0, [Read("ticker", 100.0, 104.0)])
    assert not decisions.was_fresh(5.0, [Read("ticker", 1.0, 2.0), Read("depth", 100.0, 106.0)])


def test_what_nobody_can_tell_trips_until_somebody_can() -> None:
    trip = decisions.not_known(GuardName.DAILY_LOSS, "the result", OSError("disk"))
    assert trip == Trip(GuardName.DAILY_LOSS, "the result: disk", certain=False)


seconds = st.floats(0, 1000)


@given(asked=seconds, took=seconds, waited=seconds, limit=st.floats(0.1, 100))
def test_data_is_never_taken_for_younger_than_it_is(
    asked: float, took: float, waited: float, limit: float
) -> None:
    """An answer describes no moment before the one at which it was asked for."""
    answered = asked + took
    moment = answered + waited
    passes = decisions.data_age(limit, [Read("ticker", asked, answered)], moment) is None
    assert passes == (moment - asked <= limit)
    stamped = Read("depth", asked, answered, behind=took)
    assert (decisions.data_age(limit, [stamped], moment) is None) <= passes


@given(st.lists(st.decimals(-100, 100, places=2), max_size=20), st.decimals(1, 100, places=2))
def test_a_day_of_losses_trips_at_the_first_that_reaches_the_limit(
    results: list[Decimal], limit: Decimal
) -> None:
    realised, tripped = D(0), False
    for result in results:
        realised += result
        tripped = tripped or decisions.daily_loss(limit, realised) is not None
        assert tripped or realised > -limit


def test_a_minute_is_a_minute() -> None:
    assert timedelta(seconds=60) == decisions.MINUTE
