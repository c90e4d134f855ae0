"""Limits on entries hold in a replay as they do on the exchange, by the recording's own time."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.recordings import random_market, write

from execsvc.replay.result import Conditions
from execsvc.replay.run import ReplayJob, replay

PARAMS = {"allocation_ratio": 0.1, "hold_duration": 1, "loop_count": 0}
"""In and out every other second, for a fee of some 2 quote a time."""


def trips(tmp_path: Path, **limits: Any) -> list[Any]:
    path = write(tmp_path / "m.jsonl", random_market(90))
    conditions = Conditions(interval=1, **limits)
    return replay(ReplayJob(path, "test_trading_v1", PARAMS, conditions, draws=True)).result.trips


def test_without_limits_it_never_ends(tmp_path: Path) -> None:
    assert len(trips(tmp_path)) > 20


def test_after_a_loss_it_ends(tmp_path: Path) -> None:
    made = trips(tmp_path, daily_loss_limit=Decimal(10))
    assert 1 < len(made) < 20
    assert sum(trip.net for trip in made) <= -10
    assert sum(trip.net for trip in made[:-1]) > -10


@pytest.mark.parametrize(("limit", "count"), [("900", 0), ("1100", 20)])
def test_no_larger_entry(tmp_path: Path, limit: str, count: int) -> None:
    made = trips(tmp_path, max_order_notional=Decimal(limit))
    assert (len(made) > count) if count else (made == [])


def test_so_many_a_minute_of_the_recording(tmp_path: Path) -> None:
    made = trips(tmp_path, max_orders_per_minute=3)
    times = [trip.opened_at for trip in made]
    assert len(times) == 6
    assert all((b - a).total_seconds() >= 60 for a, b in zip(times, times[3:], strict=False))
