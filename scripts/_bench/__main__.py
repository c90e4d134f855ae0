"""Usage: scripts/bench [--quick] [--json FILE] [NAME…]; see scripts/bench --help."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
from collections.abc import Callable
from pathlib import Path

from _bench.measures import EVERYBODY, OURS, Bench, crowd, memory, restart, start
from _bench.reads import reads

Figures = dict[str, list[float]]
Results = dict[str, dict[str, Figures]]
"""By measurement, then by whom, then by figure: every value that was measured."""


class Run:
    """One run of scripts/bench: how often and how many, and what came of it."""

    def __init__(self, peers: Path, quick: bool) -> None:
        self._bench = Bench(peers)
        self._quick = quick
        self._times = 1 if quick else 3
        self.results: Results = {}

    def start(self) -> None:
        """100 bots from listing to tick, and from TERM to gone."""
        bots = 20 if self._quick else 100
        self._in_turns(f"start and stop, {bots} bots", lambda who: start(self._bench, who, bots))

    def memory(self) -> None:
        """Private memory after 300 ticks and a full collection."""
        ticks = 60 if self._quick else 300
        name = f"memory after {ticks} ticks"
        self._in_turns(name, lambda who: memory(self._bench, who, 10, ticks))

    def restart(self) -> None:
        """From kill -9 to the successor's first tick."""
        self._in_turns("kill -9 of a bot", lambda who: restart(self._bench, who))

    def reads(self) -> None:
        """One market read."""
        self._in_turns("one read of 50 levels", lambda _: reads(), (OURS,))

    def crowd(self) -> None:
        """A thousand bots at one tick a second."""
        bots, seconds = (100, 5.0) if self._quick else (1000, 30.0)
        name = f"{bots} bots at 1 Hz"
        self._in_turns(name, lambda _: crowd(self._bench, bots, seconds), (OURS,))

    def growth(self) -> None:
        """The same at 10, 30, 100, 300, 1000."""
        for bots in (10, 30) if self._quick else (10, 30, 100, 300, 1000):
            name = f"growth, {bots} bots at 1 Hz"
            self._in_turns(name, lambda _, n=bots: crowd(self._bench, n, 10.0), (OURS,))

    def _in_turns(
        self,
        name: str,
        measure: Callable[[str], dict[str, float]],
        whom: tuple[str, ...] = EVERYBODY,
    ) -> None:
        by = self.results.setdefault(name, {who: {} for who in whom})
        for _ in range(self._times):
            for who in whom:
                print(f"  {name}: {who} …", file=sys.stderr, flush=True)
                for figure, value in measure(who).items():
                    by[who].setdefault(figure, []).append(value)


NAMES = ("start", "memory", "restart", "reads", "crowd", "growth")
UNITS = {
    "start": "s",
    "start_a_bot": "ms",
    "stop": "s",
    "restart": "s",
    "memory": "MB",
    "memory_a_bot": "MB",
    "manager": "MB",
    "memory_in_all": "GB",
    "supervisor_cpu": "% core",
    "bots_cpu": "% core",
    "exchange_cpu": "% core",
    "exchange_share": "of time",
    "on_time": "%",
    "status": "ms",
    "recovered": "1 = yes",
}


def table(results: Results) -> str:
    """The medians, their spread, and the ratio to ours where somebody else was measured."""
    lines = [f"{'':34} {'who':12} {'median':>9} {'lowest':>9} {'highest':>9} {'x ours':>7}"]
    for name, by in results.items():
        lines.append(name)
        for figure in next(iter(by.values())):
            unit = UNITS.get(figure, "us")
            ours = statistics.median(by[OURS][figure])
            for who, figures in by.items():
                values = figures[figure]
                middle = statistics.median(values)
                ratio = f"{middle / ours:7.1f}" if who != OURS and ours else ""
                lines.append(
                    f"  {figure.replace('_', ' ') + ', ' + unit:32} {who:12} {middle:9.3f}"
                    f" {min(values):9.3f} {max(values):9.3f} {ratio:>7}"
                )
    return "\n".join(lines)


def main() -> int:
    """Measures what is named, prints the table, writes the JSON."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], metavar="NAME")
    parser.add_argument("--quick", action="store_true", help="few bots, once: about a minute")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every value there")
    parser.add_argument("--peers", type=Path, required=True, help=argparse.SUPPRESS)
    given = parser.parse_args()
    run = Run(given.peers, given.quick)
    for name in given.names or NAMES:
        getattr(run, name)()
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    )
    print(table(run.results))
    if given.json:
        given.json.write_text(json.dumps(run.results, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
