from __future__ import annotations

import csv
import importlib.util
import json
from pathlib import Path

import pytest
from support.command import Execsvc
from support.recordings import book, random_market, real, write

STRATEGY = ("--strategy", "orderflow_exhaustion_v1")


@pytest.fixture
def market(tmp_path: Path) -> str:
    """A recording of ten minutes that trades."""
    return str(write(tmp_path / "market.jsonl.gz", random_market(600)))


def test_replay_prints_its_report(execsvc: Execsvc, market: str) -> None:
    outcome = execsvc("replay", *STRATEGY, "--data", market, "--interval", "1")

    assert outcome.code == 0
    words = {line.split()[0] for line in outcome.out.splitlines() if line}
    assert {
        "recording",
        "ticks",
        "looked",
        "signals",
        "became",
        "window",
        "trades",
        "result",
    } <= words
    assert "600 of 1 s over 10.0 min" in outcome.out
    assert "ticks in" in outcome.err  # the pace is of this machine: it is no part of the report


def test_replay_same_input_writes_the_same_bytes(
    execsvc: Execsvc, market: str, tmp_path: Path
) -> None:
    told = [
        execsvc(
            "replay", *STRATEGY, "--data", market, "--interval", "1", "--out", str(tmp_path / n)
        )
        for n in ("a", "b")
    ]

    assert told[0].out == told[1].out
    for name in ("report.json", "trades.csv"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    report = json.loads((tmp_path / "a" / "report.json").read_text())
    rows = list(csv.DictReader((tmp_path / "a" / "trades.csv").open()))
    assert len(rows) == len(report["trips"]) > 0
    assert sum(report["exits"].values()) == len(rows)
    drawn = importlib.util.find_spec("matplotlib") is not None
    assert (tmp_path / "a" / "market.png").exists() == drawn
    assert ("execsvc[plot]" in told[0].err) != drawn


def test_a_grid_makes_one_table_best_first(execsvc: Execsvc, market: str, tmp_path: Path) -> None:
    params = tmp_path / "slow.json"
    params.write_text('{"cooldown_sec": 60}')

    outcome = execsvc(
        *("replay", *STRATEGY, "--data", market, "--interval", "1", "--params", str(params)),
        *("--grid", "pressure_signals_required=1,3", "spread_ema_alpha=0.2,0.4"),
        *("--out", str(tmp_path / "out")),
    )

    assert outcome.code == 0
    lines = outcome.out.splitlines()
    assert len(lines) == 1 + 4
    nets = [float(line.split()[-1]) for line in lines[1:]]
    assert nets == sorted(nets, reverse=True)
    assert any("slow pressure_signals_required=1 spread_ema_alpha=0.4" in line for line in lines)
    assert len(json.loads((tmp_path / "out" / "report.json").read_text())) == 4


def test_phases_give_mean_and_spread(execsvc: Execsvc, market: str) -> None:
    outcome = execsvc("replay", *STRATEGY, "--data", market, "--interval", "2", "--phases", "4")

    header, row = outcome.out.splitlines()
    assert header.split()[-1] == "±"
    assert float(row.split()[-1]) > 0


def test_a_directory_is_replayed_one_after_the_other(
    execsvc: Execsvc, market: str, tmp_path: Path
) -> None:
    write(tmp_path / "another.jsonl", random_market(100, seed=2))

    outcome = execsvc("replay", *STRATEGY, "--data", str(tmp_path))

    names = [line.split()[1] for line in outcome.out.splitlines() if line.startswith("recording")]
    assert names == ["another.jsonl,", "market.jsonl.gz,"]


def test_a_bad_line_is_named_or_left_out_and_counted(execsvc: Execsvc, tmp_path: Path) -> None:
    rows = [book(0, "99", "101"), "nonsense", *random_market(50)[1:]]
    path = str(write(tmp_path / "m.jsonl", rows))

    refused = execsvc("replay", *STRATEGY, "--data", path)
    lenient = execsvc("replay", *STRATEGY, "--data", path, "--skip-bad")

    assert refused.code == 78
    assert "line 2: is not JSON" in refused.err
    assert lenient.code == 0
    assert "1 bad lines left out" in lenient.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--strategy", "no_such"), "'no_such' is not known"),
        ((*STRATEGY, "--grid", "depth_limit=1"), "params.depth_limit"),
        ((*STRATEGY, "--grid", "depth_limit"), "is not name=value,value"),
        ((*STRATEGY, "--params", "no_such.json"), "no_such.json"),
    ],
)
def test_replay_unusable_input_is_refused(
    execsvc: Execsvc, market: str, arguments: tuple[str, ...], said: str
) -> None:
    outcome = execsvc("replay", "--data", market, *arguments)

    assert outcome.code == 78
    assert said in outcome.err


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["bittrex", "binance-spot-btcusdt", "binance-spot-ethusdt", "bitstamp"]
)
def test_a_real_recording_is_replayed(execsvc: Execsvc, name: str) -> None:
    outcome = execsvc("replay", *STRATEGY, "--data", str(real(name)))

    assert outcome.code == 0
    assert "bad line" not in outcome.out
    assert "errors" not in outcome.out


def test_a_stop_loss_is_taken_as_a_row_says_it(execsvc: Execsvc, tmp_path: Path) -> None:
    fall = [book(0, "9999", "10000"), book(20_000, "9500", "9501"), book(60_000, "9000", "9001")]
    (tmp_path / "params.json").write_text('{"hold_duration": 3600}')
    replay = ["replay", "--strategy", "test_trading_v1", "--fee", "0", "--latency", "0"]
    replay += ["--data", str(write(tmp_path / "fall.jsonl", fall))]
    replay += ["--params", str(tmp_path / "params.json")]

    stopped = execsvc(*replay, "--stop-loss", "5", "--out", str(tmp_path / "out"))
    assert stopped.code == 0, stopped.err
    assert "stop loss 5 %" in stopped.out
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["conditions"]["stop_loss"] == "5"
    assert [float(trip["net"]) for trip in report["trips"]] == [-50]

    assert "stop loss" not in execsvc(*replay, "--stop-loss", "0").out
    for wrong in ("100", "-1", "much"):
        assert execsvc(*replay, "--stop-loss", wrong).code == 2
