"""The answer to the call ``metrics``: the content of ``/status`` and the counts, as numbers.

The control plane has the names and texts of the metrics; no call takes longer than ``/status``.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from execsvc import __version__
from execsvc.model.condition import Kind
from execsvc.model.histogram import Histogram
from execsvc.runner.counts import SERIES, TICK_BOUNDS
from execsvc.supervisor.bots.bot import Bot
from execsvc.supervisor.bots.next_step import ServiceMode
from execsvc.supervisor.bots.states import State
from execsvc.supervisor.bots.totals import Totals
from execsvc.supervisor.processes.loop_clock import LoopClock
from execsvc.supervisor.status.conditions import conditions
from execsvc.supervisor.status.facts import Facts
from execsvc.supervisor.status.status import status

MICRO = 1e-6
_SHOWN = (
    *("bot_id", "name", "strategy", "symbol", "mode", "state"),
    *("last_tick_at", "position", "result", "guards"),
)


def metrics(facts: Facts, totals: Totals, clock: LoopClock) -> dict[str, Any]:
    """All metrics; durations are in seconds, moments in seconds since 1970."""
    document = status(facts)
    polled, wrong = facts.polled, conditions(facts)
    kinds = Counter(condition.kind for condition in wrong)
    return {
        "version": __version__,
        "started": facts.started_at.timestamp(),
        "stopping": int(facts.service is not ServiceMode.RUNNING),
        "halted": int(facts.halted is not None),
        "degraded": int(any(condition.degrades for condition in wrong)),
        "conditions": {kind.value: kinds[kind] for kind in Kind},
        "states": {state.value: document["counts"].get(state.value, 0) for state in State},
        "listing_age": polled.age,
        "listing_interval": polled.interval,
        "mass_stop": polled.pending.bots if polled.pending is not None else 0,
        "counters": _counters(totals),
        "tick_seconds": _histogram(
            TICK_BOUNDS, totals.numbers[len(SERIES) : -1], totals.numbers[-1]
        ),
        "loop_late": _kept(clock.late),
        "loop_busy": _kept(clock.busy),
        # Rows without a usable id come last in /status, and have no metrics of their own.
        "bots": [_bot(*pair) for pair in zip(facts.bots, document["bots"], strict=False)],
    }


def _counters(totals: Totals) -> list[tuple[str, tuple[str, ...], int]]:
    """The counters: a name, the values of its labels, and the sum."""
    return [
        *((*series, number) for series, number in zip(SERIES, totals.numbers, strict=False)),
        ("restarts", (), totals.restarts),
        ("listings", (), totals.listings),
        ("listing_failures", (), totals.listing_failures),
    ]


def _kept(histogram: Histogram) -> dict[str, Any]:
    return _histogram(histogram.bounds, histogram.counts, histogram.micros)


def _histogram(bounds: tuple[float, ...], counts: Any, micros: int) -> dict[str, Any]:
    return {"bounds": bounds, "counts": list(counts), "sum": micros * MICRO}


def _bot(bot: Bot, shown: dict[str, Any]) -> dict[str, Any]:
    """The part of a bot in ``/status`` that can be counted or summed up.

    Texts from its process are passed on as they are: no text of a strategy may end this process.
    """
    return {
        **{name: shown[name] for name in _SHOWN},
        "known": bot.known.unreadable is None or bot.processes.owner is not None,
        "contested": bot.contested,
        "failing": int(bot.residue),
    }
