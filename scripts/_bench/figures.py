"""The figures: their names, their targets, their format."""

from __future__ import annotations

import re
import statistics
from typing import NamedTuple

OURS = "execsvc"
Results = dict[str, dict[str, dict[str, list[float]]]]
"""By measurement, then by whom, then by figure: every value that was measured."""


class Figure(NamedTuple):
    """One thing that is measured."""

    text: str
    unit: str
    aim: str = ""


FIGURES = {
    "start": Figure("listing to the last first tick", "s", "<= 1.0, 15 x"),
    "stop": Figure("TERM to the last bot gone", "s", "<= 0.5"),
    "exchange_share": Figure("CPU of the exchange as they start", "% core"),
    "memory": Figure("private memory a bot", "MB", "<= 6, 0.22 x"),
    "manager": Figure("private memory of the manager", "MB"),
    "restart": Figure("kill -9 to the successor's tick", "s", "<= 0.1"),
    "recovered": Figure("with its position (1: yes)", "", "1"),
    "requests_as_it_comes": Figure("as requests comes, CPU", "us"),
    "our_read": Figure("ours, CPU", "us", "<= 300"),
    "our_read_parsed": Figure("ours, parsed and validated", "us"),
    "our_ticker_parsed": Figure("a ticker, parsed and validated", "us"),
    "own_tick": Figure("CPU, woken up for it", "us"),
    "wake_up": Figure("of that, to be woken up at all", "us"),
    "own_tick_in_a_row": Figure("CPU, one tick after the other", "us", "<= 150"),
    "start_all": Figure("listing to the last first tick", "s", "1000: <= 15"),
    "start_a_bot": Figure("listing to tick, a bot", "ms"),
    "supervisor_cpu": Figure("CPU of the supervisor", "% core", "1000: <= 3"),
    "tick_with_ticker": Figure("CPU of a tick with a ticker", "us"),
    "tick_orderflow": Figure("CPU of a tick of the bots", "us", "<= 500"),
    "tick_everything": Figure("CPU of a tick, all processes", "us"),
    "ticks_made": Figure("ticks made of those due", "%", ">= 99"),
    "calls": Figure("calls at the adapter a second", "", "<= 220"),
    "start_orderflow": Figure("listing to tick, a bot", "ms", "<= 8"),
    "cpu_bot": Figure("CPU of the bots", "% core"),
    "cpu_manager": Figure("CPU of the manager", "% core", "1000: <= 2"),
    "cpu_market": Figure("CPU of the market feed", "% core"),
    "cpu_listing": Figure("CPU of the listing", "% core"),
    "cpu_alerts": Figure("CPU of the alerts", "% core"),
    "cpu_reports": Figure("CPU of the reports", "% core"),
    "cpu_control": Figure("CPU of the control plane", "% core"),
    "cpu_others": Figure("CPU of its other processes", "% core"),
    "exchange_cpu": Figure("CPU of the exchange", "% core"),
    "on_time": Figure("ticks at most 100 ms late", "%", ">= 99"),
    "status": Figure("/status", "ms", "<= 100"),
    "memory_in_all": Figure("memory of everything", "GB", "1000: <= 8"),
    "memory_a_bot": Figure("private memory a bot", "MB"),
}


GROWING = ("start_a_bot", "tick_with_ticker", "memory_a_bot", "supervisor_cpu", "on_time")
"""The figures of a growing number of bots."""


def growth(results: Results) -> dict[int, dict[str, float]]:
    """The medians of the growing crowd, by the number of its bots."""
    found = ((re.match(r"(\d+) bots at 1 Hz, growing", name), by) for name, by in results.items())
    return {
        int(size.group(1)): {key: statistics.median(by[OURS][key]) for key in GROWING}
        for size, by in found
        if size and all(key in by[OURS] for key in GROWING)
    }


def table(results: Results) -> str:
    """The medians, their spread, and how many times ours the others need."""
    growing = growth(results)
    results = {name: by for name, by in results.items() if not name.endswith("growing")}
    peers = sorted(
        {manager_name for by in results.values() for manager_name in by} - {OURS}, reverse=True
    )
    lines = [_line("", "aim", OURS, *peers)]
    for name, by in results.items():
        lines += ["", name]
        for key in dict.fromkeys(key for figures in by.values() for key in figures):
            figure = FIGURES.get(key) or Figure(key.replace("_", " "), "% core")
            ours = by[OURS].get(key, [])
            cells = [_cell(by.get(manager_name, {}).get(key, []), ours) for manager_name in peers]
            text = f"  {figure.text}, {figure.unit}".rstrip(", ")
            lines.append(_line(text, figure.aim, _cell(ours, []), *cells))
    if growing:
        lines += ["", f"{'bots at 1 Hz':43}" + "".join(f"{bots:>9}" for bots in growing)]
        for key in GROWING:
            text = f"  {FIGURES[key].text}, {FIGURES[key].unit}"
            columns = "".join(f"{_short(medians[key]):>9}" for medians in growing.values())
            lines.append(f"{text:43}{columns}")
    return "\n".join(lines)


def _line(text: str, aim: str, *cells: str) -> str:
    return "".join([f"{text:43}", f"{aim:14}", *(f"{cell:25}" for cell in cells)]).rstrip()


def _cell(values: list[float], ours: list[float]) -> str:
    """``median (lowest-highest)``, and the ratio of the medians."""
    if not values:
        return ""
    middle = statistics.median(values)
    spread = f" ({_short(min(values))}-{_short(max(values))})" if len(values) > 1 else ""
    ratio = f" {middle / statistics.median(ours):.1f} x" if ours and any(ours) else ""
    return f"{_short(middle)}{spread}{ratio}"


def _short(value: float) -> str:
    """Three digits, and no more than there are."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:.{digits}f}"
