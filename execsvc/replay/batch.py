"""Many replays: sets of parameters, phases and recordings, on all cores."""

from __future__ import annotations

import itertools
import json
import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from execsvc.errors import ConfigRefused
from execsvc.replay.report import Row
from execsvc.replay.run import Replay, ReplayJob, replay

Params = dict[str, Any]


class Variant(NamedTuple):
    """One set of parameters, and its difference from the others, in words."""

    varied: str
    params: Params


def read_params(path: Path) -> Params:
    """The parameters in a JSON file. Raises ConfigRefused."""
    try:
        params = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigRefused(f"{path}: {error}") from None
    if not isinstance(params, dict):
        raise ConfigRefused(f"{path}: does not hold a JSON object")
    return params


def variants(files: Sequence[Path], grid: Sequence[str]) -> list[Variant]:
    """Every set of ``files`` with every combination of ``grid`` (``name=value,value`` each).

    Raises ConfigRefused.
    """
    sets = [Variant(path.stem, read_params(path)) for path in files] or [Variant("", {})]
    axes = [_axis(text) for text in grid]
    return [
        Variant(
            " ".join([*([one.varied] if one.varied else []), *(f"{n}={v}" for n, v in point)]),
            {**one.params, **{name: _value(value) for name, value in point}},
        )
        for one in sets
        for point in itertools.product(*axes)
    ]


def phases(interval: float, count: int, first: float) -> list[float]:
    """``count`` phases spread evenly over the interval, in seconds, from ``first`` on."""
    return [float(Decimal(str(first)) + Decimal(str(interval)) * k / count) for k in range(count)]


def run_all(jobs: Sequence[ReplayJob]) -> Iterator[Replay]:
    """The replays in the order of ``jobs``, made on all cores."""
    if len(jobs) == 1:
        yield replay(jobs[0])
        return
    workers = min(len(jobs), len(os.sched_getaffinity(0)))
    fork = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(workers, mp_context=fork) as pool:
        yield from pool.map(replay, jobs)


def rows(variant_of: Sequence[str], replays: Sequence[Replay]) -> list[Row]:
    """The replays joined over their phases; ``variant_of`` has the variant of each.

    By recording, and within it the best first.
    """
    joined: dict[tuple[str, str], list[Replay]] = {}
    for varied, made in zip(variant_of, replays, strict=True):
        joined.setdefault((made.result.recording, varied), []).append(made)
    table = [Row(key[0], key[1], [r.result for r in made]) for key, made in joined.items()]
    return sorted(table, key=lambda row: (row.recording, -row.mean, row.varied))


def _axis(text: str) -> list[tuple[str, str]]:
    name, _, values = text.partition("=")
    if not name or not values:
        raise ConfigRefused(f"--grid {text}: is not name=value,value")
    return [(name, value.strip()) for value in values.split(",")]


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
