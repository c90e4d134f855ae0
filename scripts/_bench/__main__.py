"""Measures, or takes what was measured before: see scripts/bench --help."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from _bench.chart import draw
from _bench.figures import OURS, Results, table
from _bench.many_bots import measure_many_bots, tick
from _bench.measures import ALL_MANAGERS, Bench, Figures, memory, restart, start
from _bench.one_process import reads, sequential_ticks
from _bench.orderflow import measure_orderflow


class Run:
    """One run of scripts/bench: how often and how many, and what came of it."""

    def __init__(self, bench: Bench, quick: bool, bots: list[int]) -> None:
        """``bots``: how many each ``orderflow`` runs; empty for the usual ones."""
        self._bench = bench
        self._bots = bots
        self._quick = quick
        self._times = 1 if quick else 3
        self.results: Results = {}
        self.failures: list[str] = []

    def start(self) -> None:
        """From listing to tick, and from TERM to gone."""
        bots = 20 if self._quick else 100
        self._in_turns(f"{bots} bots", lambda manager_name: start(self._bench, manager_name, bots))

    def memory(self) -> None:
        """Private memory after some ticks and a full collection."""
        ticks = 60 if self._quick else 300
        name = f"10 bots after {ticks} ticks and a collection"
        self._in_turns(name, lambda manager_name: memory(self._bench, manager_name, 10, ticks))

    def restart(self) -> None:
        """From kill -9 to the successor's first tick."""
        self._in_turns(
            "one of 10 bots is killed", lambda manager_name: restart(self._bench, manager_name)
        )

    def reads(self) -> None:
        """One market read."""
        self._in_turns("one read of 50 levels", lambda _: reads(), (OURS,))

    def tick(self) -> None:
        """The cost of one tick by itself."""
        seconds = 3.0 if self._quick else 8.0
        self._in_turns(
            "one tick that reads nothing",
            lambda _: sequential_ticks() | tick(self._bench, seconds),
            (OURS,),
        )

    def crowd(self) -> None:
        """A thousand bots at one tick a second."""
        bots, seconds = (100, 5.0) if self._quick else (1000, 30.0)
        self._in_turns(
            f"{bots} bots at 1 Hz", lambda _: measure_many_bots(self._bench, bots, seconds), (OURS,)
        )

    def orderflow(self) -> None:
        """Bots that read books and trades; some hundred also as scripts under the peers."""
        seconds = 10.0 if self._quick else 30.0
        for bots in self._bots or ((20,) if self._quick else (100, 300, 1000)):
            whom = ALL_MANAGERS if bots <= _MOST_OF_PEERS else (OURS,)
            self._in_turns(
                f"{bots} bots of orderflow at 1 Hz",
                partial(self._measure_orderflow, bots, seconds),
                whom,
            )

    def _measure_orderflow(self, bots: int, seconds: float, manager_name: str) -> Figures:
        return measure_orderflow(self._bench, manager_name, bots, seconds)

    def growth(self) -> None:
        """The same in a growing crowd."""
        for bots in (10, 30) if self._quick else (10, 30, 100, 300, 1000):
            name = f"{bots} bots at 1 Hz, growing"
            self._in_turns(name, partial(self._measure_growing, bots), (OURS,))

    def _measure_growing(self, bots: int, _: str) -> Figures:
        return measure_many_bots(self._bench, bots, 10.0)

    def _in_turns(
        self, name: str, measure: Callable[[str], Figures], whom: tuple[str, ...] = ALL_MANAGERS
    ) -> None:
        """Measure the managers in turns, again and again: a machine that slows down does so for all."""
        by = self.results.setdefault(name, {manager_name: {} for manager_name in whom})
        for _ in range(self._times):
            for manager_name in whom:
                print(f"  {name}: {manager_name} …", file=sys.stderr, flush=True)
                try:
                    found = measure(manager_name)
                except Exception as error:  # noqa: BLE001 - the others are still measured
                    self.failures.append(f"{name}: {manager_name}: {error!r}")
                    continue
                for figure, value in found.items():
                    by[manager_name].setdefault(figure, []).append(value)


NAMES = ("start", "memory", "restart", "reads", "tick", "crowd", "orderflow", "growth")
_MOST_OF_PEERS = 100
"""Bots that the peers run as well; more of them would take all of the machine's memory."""


def measured(names: list[str], peers: Path, quick: bool, bots: list[int]) -> Results:
    """Measures what is named and says what could not be measured."""
    root = Path(tempfile.mkdtemp(prefix="execsvc-bench-"))
    try:
        run = Run(Bench(peers, root), quick, bots)
        for name in names:
            getattr(run, name)()
    finally:
        shutil.rmtree(root, ignore_errors=True)
    for failure in run.failures:
        print(f"not measured: {failure}", file=sys.stderr)
    return run.results


def main() -> int:
    """Measures, or takes what was measured; prints the table and writes what is asked for."""
    parser = argparse.ArgumentParser(prog="scripts/bench")
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], metavar="NAME")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--bots", type=int, action="append", default=[], metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--picture", type=Path, metavar="FILE")
    parser.add_argument("--from", dest="before", type=Path, metavar="FILE")
    parser.add_argument("--peers", type=Path, required=True)
    given = parser.parse_args()
    if given.before:
        results = json.loads(given.before.read_text())
    else:
        results = measured(given.names or list(NAMES), given.peers, given.quick, given.bots)
        load = os.getloadavg()[0]
        print(
            f"Python {platform.python_version()}, {os.cpu_count()} cores, load {load:.1f} at the end"
        )
    print(table(results))
    if given.json:
        given.json.write_text(json.dumps(results, indent=1) + "\n")
    if given.picture:
        draw(results, given.picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())
