"""The counters of a bot's process, and their report."""

from __future__ import annotations

import os
from datetime import datetime, timezone
from decimal import Decimal
from typing import get_args

import pytest

from execsvc.clients.exchange_adapter import Read
from execsvc.model.bot import Mode
from execsvc.model.histogram import Histogram
from execsvc.model.order import Fill, OrderState, Side
from execsvc.runner.counts import (
    NOTHING,
    SERIES,
    SIZE,
    TICK_BOUNDS,
    Counts,
    LiquidationResult,
    Series,
    TickResult,
)
from execsvc.runner.report import LARGEST_LINE, Snapshot, decode, encode, send
from execsvc.runner.reporter import Reporter
from execsvc.store.orders import OrderRow

D = Decimal


def order(side: Side, state: OrderState, filled: str) -> OrderRow:
    return OrderRow(
        client_order_id="c",
        bot_id="b",
        symbol="BTC/USDT",
        side=side,
        amount=D("0.02"),
        reason="test",
        state=state,
        fill=Fill(filled=D(filled)),
        created_at=datetime(2026, 1, 1, tzinfo=timezone.utc),
    )


def counted(counts: Counts) -> dict[tuple[str, ...], int]:
    """The counters that are not zero, without the histogram."""
    pairs = zip(SERIES, counts.numbers(), strict=False)
    return {(series.name, *series.labels): number for series, number in pairs if number}


@pytest.mark.parametrize(
    ("state", "filled", "outcome"),
    [
        (OrderState.EXECUTED, "0.02", "filled"),
        (OrderState.EXECUTED, "0.01999", "partly"),
        (OrderState.NOT_EXECUTED, "0", "refused"),
        (OrderState.CONTESTED, "0.02", "contested"),
        (OrderState.CONTESTED, "0", "contested"),
    ],
)
@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("mode", Mode)
def test_an_order_has_one_outcome(
    mode: Mode, side: Side, state: OrderState, filled: str, outcome: str
) -> None:
    counts = Counts()
    counts.order(mode, order(side, state, filled))
    assert counted(counts) == {("orders", mode.value.lower(), side.value, outcome): 1}


def test_whatever_can_be_counted_has_its_number() -> None:
    """A name that is not in the table would raise on the way of an exit."""
    counts = Counts()
    for result in get_args(TickResult):
        counts.tick(result, 0.3)
    for call in get_args(Read):
        counts.read_failed(call)
    for side in Side:
        counts.order_unknown(side)
        for state in OrderState:
            for filled in ("0", "0.01", "0.02"):
                counts.settled(order(side, state, filled))
                for mode in Mode:
                    counts.order(mode, order(side, state, filled))
    for done in get_args(LiquidationResult):
        counts.liquidation(done)
    counts.liquidation_attempt()
    counts.report_dropped()
    assert set(counted(counts)) == {(series.name, *series.labels) for series in SERIES}


def test_the_layout_has_no_gap_and_nothing_twice() -> None:
    assert len(set(SERIES)) == len(SERIES)
    assert Counts().numbers() == NOTHING
    assert len(NOTHING) == SIZE


def test_ticks_fall_between_their_bounds() -> None:
    counts = Counts()
    for seconds in (0.0, 0.01, 0.011, 30.0, 31.0, -1.0):
        counts.tick("ok", seconds)
    *buckets, micros = counts.numbers()[len(SERIES) :]
    assert len(buckets) == len(TICK_BOUNDS) + 1
    assert (buckets[0], buckets[1], buckets[-2], buckets[-1]) == (3, 1, 1, 1)
    assert micros == 61_021_000


def test_bounds_ascend() -> None:
    assert list(TICK_BOUNDS) == sorted(set(TICK_BOUNDS))
    assert Histogram(TICK_BOUNDS).bounds == TICK_BOUNDS


def test_the_largest_counts_leave_room_for_words() -> None:
    most = tuple(2**53 for _ in range(SIZE))
    line = encode(Snapshot(counts=most, last_error="x" * 1000))
    assert len(line) <= LARGEST_LINE
    assert decode(line).counts == most
    assert decode(line).last_error == "x" * 1000
    assert len(encode(Snapshot(counts=Counts().numbers()))) < 600


def test_a_report_that_was_dropped_is_told_by_the_next() -> None:
    read, write = os.pipe2(os.O_NONBLOCK)
    try:
        reporter = Reporter(write)
        while send(write, Snapshot()):
            pass
        reporter.update(contested=1)
        reporter.update(contested=2)
        os.read(read, 1 << 20)
        reporter.update(contested=3)
        told = decode(os.read(read, 1 << 20))
    finally:
        os.close(read)
        os.close(write)
    drops = SERIES.index(Series("report_drops"))
    assert (told.contested, told.counts[drops]) == (3, 2)


@pytest.mark.parametrize("nonsense", [[1], [-1] * SIZE, [2**60] * SIZE, ["a"] * SIZE, None])
def test_counts_that_cannot_be_are_no_report(nonsense: object) -> None:
    line = (
        Snapshot()
        .model_dump_json()
        .replace(
            f'"counts":{list(NOTHING)}'.replace(" ", ""), f'"counts":{nonsense}'.replace("'", '"')
        )
    )
    assert line != Snapshot().model_dump_json()
    with pytest.raises(ValueError, match=r"counts|Invalid JSON"):
        decode(line.encode())
