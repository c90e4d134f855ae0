"""A replay as a picture; needs matplotlib (the extra ``plot``)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from execsvc.model.order import Side
from execsvc.replay.result import Point, ReplayResult

_UP, _DOWN, _LINE, _FAINT = "#1a7f5a", "#b3362b", "#24425c", "#9db2c4"


class NoPicture(Exception):
    """The drawing library is not installed."""


def draw(path: Path, result: ReplayResult, points: Sequence[Point]) -> None:
    """Draw mid with entries and exits, spread, imbalance and equity over time into ``path``.

    Raises NoPicture without matplotlib, OSError.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise NoPicture("a picture needs matplotlib: pip install 'execsvc[plot]'") from None
    figure = Figure(figsize=(14, 9), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(4, 1, sharex=True, height_ratios=(5, 1.4, 1.6, 2))
    times = [_time(point.t) for point in points]
    _draw_mid(axes[0], times, points, result)
    _draw_spread(axes[1], times, points)
    _draw_imbalance(axes[2], times, points)
    _draw_equity(axes[3], times, points, result)
    for axis in axes:
        axis.grid(visible=True, color="#e6ebef", linewidth=0.6)
        axis.spines[["top", "right"]].set_visible(False)
        axis.margins(x=0.005)
    figure.suptitle(_title(result), fontsize=12, x=0.01, ha="left")
    figure.savefig(path, metadata={"Software": None})


def _draw_mid(
    axis: Any, times: list[datetime], points: Sequence[Point], result: ReplayResult
) -> None:
    axis.plot(times, [point.mid for point in points], color=_LINE, linewidth=0.8)
    for trip in result.trips:
        colour = _UP if trip.net > 0 else _DOWN
        ends = [trip.opened_at, trip.closed_at]
        prices = [float(trip.entry_price), float(trip.exit_price)]
        axis.axvspan(*ends, color=colour, alpha=0.10, linewidth=0)
        axis.plot(ends, prices, color=colour, linewidth=1.4)
        marker = "^" if trip.side is Side.BUY else "v"
        axis.plot(ends[:1], prices[:1], marker, color=colour, markersize=8)
        axis.plot(ends[1:], prices[1:], "o", color=colour, markersize=5, fillstyle="none")
    axis.set_ylabel("mid")
    axis.set_title(
        "▲ bought  ▼ sold  ○ closed; green made money, red lost it", fontsize=9, loc="right"
    )


def _draw_spread(axis: Any, times: list[datetime], points: Sequence[Point]) -> None:
    bps = [point.spread / point.mid * 10_000 for point in points]
    axis.fill_between(times, bps, color=_FAINT, linewidth=0)
    axis.set_ylim(0, sorted(bps)[int(len(bps) * 0.99)] * 1.3 or 1)
    axis.set_ylabel("spread, bps")


def _draw_imbalance(axis: Any, times: list[datetime], points: Sequence[Point]) -> None:
    """Takers' net part of the window's volume: +1 only bought, -1 only sold."""
    shares = [_share(point) for point in points]
    axis.fill_between(times, shares, where=[s > 0 for s in shares], color=_UP, step="mid", lw=0)
    axis.fill_between(times, shares, where=[s < 0 for s in shares], color=_DOWN, step="mid", lw=0)
    axis.set_ylim(-1.05, 1.05)
    axis.set_ylabel("imbalance")


def _draw_equity(
    axis: Any, times: list[datetime], points: Sequence[Point], result: ReplayResult
) -> None:
    equity = [point.equity for point in points]
    axis.plot(times, equity, color=_LINE, linewidth=1.2)
    axis.axhline(0, color=_FAINT, linewidth=0.8)
    axis.set_ylabel("earned, quote")
    axis.set_xlabel("UTC")
    axis.annotate(f"net {float(result.net):+.2f}", (times[-1], equity[-1]), ha="right", va="bottom")


def _share(point: Point) -> float:
    volume = point.bought + point.sold
    return (point.bought - point.sold) / volume if volume else 0.0


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)


def _title(result: ReplayResult) -> str:
    given = ", ".join(f"{name} {value}" for name, value in result.params.items()) or "defaults"
    return (
        f"{result.recording} · {result.strategy} ({given}) · tick {result.conditions.interval:g} s "
        f"· {len(result.trips)} trades, fees {float(result.fees):.2f}"
    )
