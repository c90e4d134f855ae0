"""The picture of the results: ours and theirs side by side, and what a bot costs in a growing crowd."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

from _bench.figures import FIGURES, OURS, Results, growth

COLOURS = {OURS: "#1f6f5c", "supervisord": "#b08d57", "circus": "#8a8f98"}
COMPARED = ("start", "stop", "memory", "restart")
DRAWN = ("start_a_bot", "tick_with_ticker", "memory_a_bot")


def draw(results: Results, path: Path) -> None:
    """Write the picture; its kind is that of the name of ``path``."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    page, axes = plt.subplots(1, 5, figsize=(15, 3.6), width_ratios=[1, 1, 1, 1, 1.6])
    for axis, key in zip(axes, COMPARED, strict=False):
        _compare(axis, results, key)
    _growth(axes[-1], results)
    page.tight_layout()
    page.savefig(path, dpi=110)


def _compare(axis: Any, results: Results, key: str) -> None:
    for name, by in results.items():
        if key in by.get(OURS, {}):
            values = {
                manager_name: statistics.median(figures[key])
                for manager_name, figures in by.items()
            }
            bars = axis.bar(list(values), list(values.values()), color=[COLOURS[w] for w in values])
            axis.bar_label(bars, fmt="%.3g", padding=2)
            axis.set_title(f"{name}\n{FIGURES[key].text}, {FIGURES[key].unit}", fontsize=9)
            axis.set_ylim(0, 1.15 * max(values.values()))
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(axis="x", labelsize=8)


def _growth(axis: Any, results: Results) -> None:
    """Each cost as a part of what it is with the fewest bots."""
    crowds = growth(results)
    if not crowds:
        axis.set_axis_off()
        return
    fewest = min(crowds)
    for key in DRAWN:
        first = crowds[fewest][key]
        label = f"{FIGURES[key].text} ({first:.3g} {FIGURES[key].unit} at {fewest})"
        parts = [crowd[key] / first for crowd in crowds.values()]
        axis.plot(list(crowds), parts, marker="o", label=label)
    axis.set_xscale("log")
    axis.set_ylim(0, None)
    axis.set_title(
        "bots at one tick a second: cost a bot,\nas a part of that with the fewest", fontsize=9
    )
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(fontsize=7, loc="lower left")
