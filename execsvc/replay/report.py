"""A replay in words and tables."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from statistics import fmean, pstdev
from typing import NamedTuple

from execsvc.model.market import plain
from execsvc.replay.result import ReplayResult
from execsvc.replay.trips import RoundTrip

_DEATHS = ("volume", "imbalance", "spread", "jump")
_ENDS = ("absorbed", "timed_out", "replaced")


def report(result: ReplayResult) -> str:
    """The report of one replay."""
    rows = [
        ("recording", f"{result.recording}, {result.start} to {result.end}"),
        ("ticks", _ticks(result)),
        *_signals(result),
        ("trades", _trades(result)),
        ("result", _money(result)),
    ]
    lines = [f"{name:<10} {text}" for name, text in rows]
    if result.trips:
        lines += ["", f"{'exit':<18}{'trades':>7}{'hit':>7}{'gross':>12}{'fees':>10}{'net':>12}"]
        lines += [_rule(rule, trips) for rule, trips in result.by_rule().items()]
    return "\n".join(lines)


class Row(NamedTuple):
    """Replays of one recording with one set of parameters, at one phase or several."""

    recording: str
    varied: str
    results: Sequence[ReplayResult]

    @property
    def mean(self) -> float:
        """The average net result of the replays."""
        return fmean(float(result.net) for result in self.results)

    @property
    def spread(self) -> float:
        """The standard deviation of the net result over the phases."""
        return pstdev([float(result.net) for result in self.results])


HEADER = ("recording", "parameters", "signals", "trades", "hit", "gross", "fees", "net", "±")


def cells(row: Row) -> list[str]:
    """One line of the table; of several phases the means."""
    trips = [trip for result in row.results for trip in result.trips]
    count = len(row.results)
    return [
        row.recording.removesuffix(".gz").removesuffix(".jsonl"),
        row.varied or "defaults",
        f"{sum(sum(result.signals.values()) for result in row.results) / count:g}",
        f"{len(trips) / count:g}",
        _hit(trips),
        f"{fmean(float(result.gross) for result in row.results):.2f}",
        f"{fmean(float(result.fees) for result in row.results):.2f}",
        f"{row.mean:.2f}",
        f"{row.spread:.2f}" if count > 1 else "",
    ]


def _ticks(result: ReplayResult) -> str:
    text = f"{result.ticks} of {result.conditions.interval:g} s over {result.span / 60:.1f} min"
    extra = [
        (result.skipped_ticks, "tick_skipped lines"),
        (result.errors, "errors of the strategy"),
        (result.bad_lines, "bad lines left out"),
    ]
    return ", ".join([text, *(f"{count} {what}" for count, what in extra if count)])


def _signals(result: ReplayResult) -> list[tuple[str, str]]:
    if not result.looked:
        return []
    died = ", ".join(f"{result.died.get(name, 0)} of {name}" for name in _DEATHS)
    shown = ", ".join(f"{count} {kind}" for kind, count in result.signals.items()) or "none"
    ends = ", ".join(f"{result.ends.get(end, 0)} {end.replace('_', ' ')}" for end in _ENDS)
    failed = f"; {result.no_entry} of the absorbed made no entry" if result.no_entry else ""
    return [
        ("looked", f"on {result.looked} ticks; died for want {died}"),
        ("signals", shown),
        ("became", ends + failed),
        ("window", f"cut short by trades_limit on {result.cut_windows} ticks"),
    ]


def _trades(result: ReplayResult) -> str:
    return (
        f"{len(result.trips)}, hit rate {_hit(result.trips)}, "
        f"{result.in_position:.1%} of the time in position"
    )


def _money(result: ReplayResult) -> str:
    return (
        f"gross {_quote(result.gross)}, fees {_quote(result.fees)}, net {_quote(result.net)}, "
        f"maximal drawdown {_quote(result.max_drawdown)} (in quote)"
    )


def _rule(rule: str, trips: Sequence[RoundTrip]) -> str:
    gross, fees, net = (
        sum((getattr(trip, name) for trip in trips), Decimal(0))
        for name in ("gross", "fees", "net")
    )
    money = f"{_quote(gross):>12}{_quote(fees):>10}{_quote(net):>12}"
    return f"{rule:<18}{len(trips):>7}{_hit(trips):>7}{money}"


def _hit(trips: Sequence[RoundTrip]) -> str:
    return f"{sum(trip.net > 0 for trip in trips) / len(trips):.0%}" if trips else "-"


def _quote(value: Decimal) -> str:
    return plain(value.quantize(Decimal("0.0001")))
