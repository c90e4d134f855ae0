"""The catalogue's ``rsi_basic`` and ``grid_v1`` on recorded markets, with the code that trades."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.recordings import START, book, real, trade, write

from execsvc.replay.result import Conditions, ReplayResult
from execsvc.replay.run import ReplayJob, replay

D = Decimal
ALLOCATION = D(1000)
RANGES = {
    "bittrex": (9750, 10250),
    "binance-spot-btcusdt": (61500, 61900),
    "binance-spot-ethusdt": (2660, 2690),
    "bitstamp": (233, 238),
}
"""A range of each recording that its price moves in."""


def played(path: Path, strategy: str, **params: Any) -> ReplayResult:
    conditions = Conditions(interval=5, allocation=ALLOCATION)
    return replay(ReplayJob(path, strategy, params, conditions)).result


def wave(tmp_path: Path) -> Path:
    """A price that swings between 95 and 105 in four minutes, for an hour."""
    rows = [book(0, "99.99", "100.01")]
    for second in range(1, 3600, 5):
        phase = second % 240
        mid = D(95) + D(phase if phase < 120 else 240 - phase) / 12
        rows.append(trade(second * 1000, "buy", price=str(round(mid, 2))))
        rows.append(book(second * 1000, f"{mid - D('0.01'):.2f}", f"{mid + D('0.01'):.2f}"))
    return write(tmp_path / "wave.jsonl", rows)


def test_rsi_basic_on_a_wave_buys_low_and_sells_high(tmp_path: Path) -> None:
    result = played(wave(tmp_path), "rsi_basic", period=2)

    exits = [trip.rule for trip in result.trips]
    assert len(exits) > 5
    assert set(exits[:-1]) == {"RSI down through 70"}
    assert all(trip.gross > 0 for trip in result.trips[:-1])
    assert result.errors == result.skipped_ticks == 0
    assert result.trips[0].opened_at.timestamp() * 1000 > START + 3 * 60_000


def test_grid_v1_on_a_wave_earns_one_level_a_part(tmp_path: Path) -> None:
    """The price falls through all four levels 15 times, and at the start through two of them."""
    result = played(wave(tmp_path), "grid_v1", lower_price=96, upper_price=104, grid_count=4)

    bought = sum(trip.amount * trip.entry_price for trip in result.trips)
    assert bought / 250 == pytest.approx(D(15 * 4 + 2), abs=D("0.01"))
    earned = sum(trip.gross for trip in result.trips) / bought
    assert earned == pytest.approx(D("0.02"), abs=D("0.004"))
    assert result.errors == result.skipped_ticks == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", RANGES)
@pytest.mark.parametrize("strategy", ["rsi_basic", "grid_v1"])
def test_strategy_on_a_real_recording_trades_within_its_allocation(
    name: str, strategy: str
) -> None:
    low, high = RANGES[name]
    params = {"lower_price": low, "upper_price": high} if strategy == "grid_v1" else {"period": 5}
    result = played(real(name), strategy, **params)

    assert result.trips
    assert result.errors == result.skipped_ticks == 0
    for trip in result.trips:
        if (
            strategy == "rsi_basic"
        ):  # the book moves between a tick and the fill, by far less than 1 %
            assert trip.amount * trip.entry_price <= ALLOCATION * D("1.01")
        if trip.rule == "one level higher":
            assert trip.gross >= 0
