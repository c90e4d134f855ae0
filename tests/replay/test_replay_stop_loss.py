"""A stop loss in a replay: the recording's own book decides, between ticks as well, to the digit."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.recordings import book, write

from execsvc.replay.result import Conditions, ReplayResult
from execsvc.replay.run import ReplayJob, replay

D = Decimal
PARAMS = {"allocation_ratio": 0.1, "hold_duration": 3600, "loop_count": 0}
FALL = [
    book(0, "9999", "10000"),
    book(11_000, "9500.01", "9501"),
    book(21_000, "9500", "9501"),
    book(31_000, "9000", "9001"),
    book(300_000, "9000", "9001"),
]
"""Bought at 10 000: the bid comes to within a cent of 5 % below, then to it, then through it."""


def played(tmp_path: Path, rows: list[dict[str, Any]], **given: Any) -> ReplayResult:
    path = write(tmp_path / "m.jsonl", rows)
    conditions = Conditions(fee=D(0), latency=0.0, **given)
    return replay(ReplayJob(path, "test_trading_v1", PARAMS, conditions)).result


@pytest.mark.parametrize("interval", [1.0, 5.0, 60.0, 3600.0])
def test_a_position_is_sold_at_the_first_look_at_its_stop_loss_and_no_more_is_bought(
    tmp_path: Path, interval: float
) -> None:
    result = played(tmp_path, FALL, interval=interval, stop_loss=D(5))
    (trip,) = result.trips
    assert (trip.entry_price, trip.exit_price, trip.amount) == (D(10_000), D(9500), D("0.1"))
    assert trip.net == result.net == D(-50)
    assert trip.reason == "loop 1"
    assert trip.rule == "stop loss 5 %"
    assert 21.0 <= trip.seconds <= 26.0, "five seconds at most from the price on"


def test_without_one_it_is_held_to_the_end(tmp_path: Path) -> None:
    (trip,) = played(tmp_path, FALL, interval=5.0).trips
    assert (trip.exit_price, trip.net, trip.rule) == (D(9000), D(-100), "liquidation")


def test_a_smaller_one_sells_at_the_price_of_its_look(tmp_path: Path) -> None:
    (trip,) = played(tmp_path, FALL, interval=5.0, stop_loss=D("0.01")).trips
    assert trip.exit_price == D(9999), "the spread alone is 0.01 %"
