"""The files of a replay in a directory: the same bytes for the same input."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

from execsvc.clock import iso
from execsvc.model.market import plain, round_down
from execsvc.replay.result import ReplayResult
from execsvc.replay.trips import RoundTrip

_DECIMALS = 12
_COLUMNS = (
    "run",
    "recording",
    "side",
    "opened_at",
    "closed_at",
    "amount",
    "entry_price",
    "exit_price",
    "gross",
    "fees",
    "net",
    "reason",
    "rule",
)


def write(directory: Path, results: Sequence[ReplayResult]) -> None:
    """Write ``report.json`` (one run: an object, several: an array) and ``trades.csv``.

    Raises OSError.
    """
    directory.mkdir(parents=True, exist_ok=True)
    rows = [{**result.model_dump(mode="json"), **_derived(result)} for result in results]
    text = json.dumps(rows[0] if len(rows) == 1 else rows, indent=2)
    (directory / "report.json").write_text(text + "\n", encoding="utf-8")
    with (directory / "trades.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_COLUMNS)
        for number, result in enumerate(results, start=1):
            writer.writerows(_cells(number, result.recording, trip) for trip in result.trips)


def _derived(result: ReplayResult) -> dict[str, object]:
    rules = {rule: len(trips) for rule, trips in result.by_rule().items()}
    return {"hit_rate": result.hit_rate, "in_position": result.in_position, "exits": rules}


def _cells(run: int, recording: str, trip: RoundTrip) -> list[str]:
    numbers = (
        trip.amount,
        trip.entry_price,
        trip.exit_price,
        trip.gross,
        trip.fees,
        trip.net,
    )
    return [
        str(run),
        recording,
        trip.side.name,
        iso(trip.opened_at),
        iso(trip.closed_at),
        *(plain(round_down(number, _DECIMALS)) for number in numbers),
        trip.reason,
        trip.rule,
    ]
