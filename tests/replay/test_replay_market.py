"""A replay is the runner on a recording: when it ticks, what it sees, what its orders cost."""

from __future__ import annotations

import random
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.recordings import START, book, random_market, trade, write

from execsvc.replay.result import Conditions
from execsvc.replay.run import Replay, ReplayJob, replay
from execsvc.strategies.base import Strategy
from execsvc.strategies.registry import BUILT_IN
from execsvc.strategies.test_trading_v1.strategy import TrialParams

D = Decimal


def played(path: Path, strategy: str = "orderflow_exhaustion_v1", **given: Any) -> Replay:
    params = given.pop("params", {})
    return replay(ReplayJob(path, strategy, params, Conditions(**given), draws=True))


class Probe(Strategy[TrialParams, Any]):
    """Writes down what it sees on each tick; buys on the second, sells on the third."""

    id = "probe"
    Params = TrialParams
    seen: list[tuple[Any, ...]] = []  # type: ignore[assignment]  # noqa: RUF012

    def execute(self, ctx: Any) -> None:
        depth = ctx.depth(5)
        self.seen.append((ctx.now, depth.timestamp, depth.best_bid, len(ctx.trades(100))))
        if len(self.seen) == 2:
            ctx.buy(D("0.5"), "in")
        elif len(self.seen) == 3:
            ctx.sell(ctx.position.tracked, "out")


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch) -> type[Probe]:
    monkeypatch.setitem(BUILT_IN, "probe", Probe)
    monkeypatch.setattr(Probe, "seen", [])
    return Probe


def probed(path: Path, **given: Any) -> Replay:
    return played(path, "probe", params={"allocation_ratio": 1}, **given)


def times(probe: type[Probe]) -> list[float]:
    return [round(now.timestamp() * 1000) - START for now, *_ in probe.seen]


MARKET = [book(0, "99", "101"), *[book(100 * k, f"{99 + k}", f"{101 + k}") for k in range(1, 60)]]


@pytest.mark.parametrize("phase", [0, 0.4])
def test_the_first_tick_is_at_the_first_line_or_its_phase_and_the_grid_holds(
    tmp_path: Path, probe: type[Probe], phase: float
) -> None:
    probed(write(tmp_path / "m.jsonl", MARKET), interval=1, phase=phase)

    assert times(probe) == [round(phase * 1000) + 1000 * k for k in range(6)]


def test_a_tick_sees_the_book_of_its_time_stamped_by_the_exchanges_clock(
    tmp_path: Path, probe: type[Probe]
) -> None:
    rows = [
        book(0, "99", "101"),
        trade(1000, "buy"),
        book(1001, "98", "101"),
        trade(1500, "buy"),
        book(2500, "99", "101"),
    ]
    probed(write(tmp_path / "m.jsonl", rows), interval=1)

    assert [row[1:] for row in probe.seen] == [
        (START, 99, 0),
        (START + 1000, 99, 1),
        (START + 2000, 98, 2),
    ]


@pytest.mark.parametrize(
    ("latency", "price"), [(0, "111"), (0.099, "111"), (0.1, "112"), (0.25, "113")]
)
def test_an_order_is_filled_on_the_book_after_its_latency(
    tmp_path: Path, probe: type[Probe], latency: float, price: str
) -> None:
    made = probed(write(tmp_path / "m.jsonl", MARKET), interval=1, latency=latency)

    (trip,) = made.result.trips
    assert trip.entry_price == D(price)  # the second tick is at 1000 ms: the ask is 111
    assert (trip.reason, trip.rule) == ("in", "out")


def test_a_fill_walks_the_book(tmp_path: Path, probe: type[Probe]) -> None:
    rows = [{**row, "asks": [[row["asks"][0][0], "0.2"], ["200", "5"]]} for row in MARKET]
    made = probed(write(tmp_path / "m.jsonl", rows), interval=1, latency=0)

    assert made.result.trips[0].entry_price == (D("0.2") * 111 + D("0.3") * 200) / D("0.5")


def test_the_money_of_a_trip_adds_up(tmp_path: Path, probe: type[Probe]) -> None:
    made = probed(write(tmp_path / "m.jsonl", MARKET), interval=1, latency=0, fee=D("0.01"))

    (trip,) = made.result.trips
    held = D("0.5") * D("0.99")  # the fee of the buy is taken in base
    fees = D("0.005") * 111 + held * 119 * D("0.01")
    assert trip.exit_price == 119
    assert trip.fees == fees
    assert trip.net == held * 119 * D("0.99") - D("0.5") * 111
    assert trip.gross == trip.net + fees
    assert made.result.net == trip.net


def test_what_is_open_at_the_end_is_liquidated(tmp_path: Path, probe: type[Probe]) -> None:
    made = probed(write(tmp_path / "m.jsonl", MARKET[:15]), interval=1, latency=0)

    assert [trip.rule for trip in made.result.trips] == ["liquidation"]


def test_it_trades_and_the_same_input_gives_the_same_result(tmp_path: Path) -> None:
    path = write(tmp_path / "m.jsonl.gz", random_market(1200))

    one, other = played(path, interval=1), played(path, interval=1)

    assert {trip.side.value for trip in one.result.trips} == {"buy", "sell"}
    assert one.result.model_dump_json() == other.result.model_dump_json()
    assert one.points == other.points


def shuffled(rows: Sequence[dict[str, Any]], cut: int, rng: random.Random) -> list[dict[str, Any]]:
    """The same rows, but what comes behind ``cut`` ms comes in another order."""
    known = [row for row in rows if row["t"] - START <= cut]
    future = [row for row in rows if row["t"] - START > cut]
    stamps = [row["t"] for row in future]
    rng.shuffle(future)
    return known + [{**row, "t": t} for row, t in zip(future, stamps, strict=True)]


@pytest.mark.parametrize("cut", [301_250, 600_000, 900_700])
def test_nothing_from_the_future_is_visible(tmp_path: Path, cut: int) -> None:
    rows = random_market(1200)
    real = played(write(tmp_path / "a.jsonl", rows), interval=1)
    other = played(write(tmp_path / "b.jsonl", shuffled(rows, cut, random.Random(cut))), interval=1)

    def known(made: Replay) -> tuple[list[Any], list[Any]]:
        points = [point for point in made.points if point.t * 1000 - START <= cut - 100]
        trips = [
            trip for trip in made.result.trips if trip.closed_at.timestamp() * 1000 - START <= cut
        ]
        return points, trips

    assert known(real) == known(other)
    assert known(real)[1]
    assert real.result.trips != other.result.trips


def test_a_trial_strategy_is_replayed_as_well(tmp_path: Path) -> None:
    path = write(tmp_path / "m.jsonl", random_market(300))
    params = {"allocation_ratio": 0.5, "hold_duration": 30, "loop_count": 2}

    made = played(path, "test_trading_v1", params=params, interval=1)

    assert [trip.rule for trip in made.result.trips] == ["held 30 s"] * 2
    assert all(30 <= trip.seconds < 32 for trip in made.result.trips)
