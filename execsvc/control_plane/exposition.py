"""``/metrics``: the supervisor's numbers, in the text format of Prometheus.

The numbers are kept by the supervisor, so they survive a control plane that is replaced.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from execsvc.clock import from_iso
from execsvc.control_plane import metric_names as names
from execsvc.control_plane.metric_names import Metric
from execsvc.execution.guards.limits import GuardName

Document = dict[str, Any]
_TOTAL = "_total"


def exposition(document: Document, accept: str) -> tuple[bytes, str]:
    """The answer to a scrape and its content type; ``accept`` is the request's header.

    ``document`` is the supervisor's answer to the call ``metrics``.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_AnswerCollector(document))
    try:
        encode, content_type = choose_encoder(accept)
    except (TypeError, ValueError):  # a malformed version: every client reads the plain format
        encode, content_type = choose_encoder("")
    return encode(registry), content_type


class _AnswerCollector(Collector):
    """The collector of one answer of the supervisor."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def describe(self) -> Iterable[Family]:
        """Nothing: the names of a single collector cannot clash."""
        return ()

    def collect(self) -> Iterator[Family]:
        """All metrics, family by family."""
        document = self._document
        yield _gauge(names.BUILD, [((document["version"],), 1)])
        for name, metric in names.SERVICE.items():
            yield _gauge(metric, [((), document[name])])
        yield _gauge(names.STATES, [((state,), n) for state, n in document["states"].items()])
        yield _gauge(names.CONDITIONS, [((kind,), n) for kind, n in document["conditions"].items()])
        yield _gauge(names.GUARDS, [((guard,), n) for guard, n in _guards(document["bots"])])
        yield from _counters(document["counters"])
        for name, metric in names.HISTOGRAMS.items():
            yield _histogram(metric, document[name])
        bots = [_values(bot) for bot in document["bots"]]
        for name, metric in names.BOTS.items():
            known = ((bot, value) for bot in bots if (value := bot.get(name)) is not None)
            yield _gauge(metric, [(_labels(metric, bot), value) for bot, value in known])


def _gauge(metric: Metric, samples: Iterable[tuple[tuple[str, ...], float]]) -> Family:
    family = GaugeMetricFamily(metric.name, metric.about, labels=metric.labels)
    for labels, value in samples:
        family.add_metric(labels, value)
    return family


def _counters(sums: list[list[Any]]) -> Iterator[Family]:
    families: dict[str, CounterMetricFamily] = {}
    for name, labels, value in sums:
        metric = names.COUNTERS[name]
        if name not in families:
            bare = metric.name.removesuffix(_TOTAL)
            families[name] = CounterMetricFamily(bare, metric.about, labels=metric.labels)
        families[name].add_metric(labels, value)
    yield from families.values()


def _histogram(metric: Metric, kept: Document) -> Family:
    family = HistogramMetricFamily(metric.name, metric.about)
    buckets, total = [], 0
    for bound, count in zip([*kept["bounds"], math.inf], kept["counts"], strict=True):
        total += count
        buckets.append(("+Inf" if bound == math.inf else str(float(bound)), total))
    family.add_metric((), buckets, kept["sum"])
    return family


def _guards(bots: list[Document]) -> Iterable[tuple[str, int]]:
    tripped = Counter({guard.value: 0 for guard in GuardName})
    tripped.update(guard["guard"] for bot in bots for guard in bot["guards"])
    return tripped.items()


def _labels(metric: Metric, bot: Document) -> tuple[str, ...]:
    # JSON can carry lone surrogates, which no text in UTF-8 can.
    texts = (str(bot.get(label) or "") for label in metric.labels)
    return tuple(text.encode("utf-8", "replace").decode() for text in texts)


def _values(bot: Document) -> Document:
    """The values of a bot, by the names of its metrics and of their labels."""
    last_tick, result = bot["last_tick_at"], bot["result"]
    values = {**bot, "listed": 1, "current": 1, "currency": result["currency"]}
    values |= {name: _number(result[name]) for name in ("realised", "today")}
    if last_tick is not None:
        values["last_tick"] = from_iso(last_tick).timestamp()
    if bot["known"]:
        values |= _position(bot["position"])
    return values


def _number(text: str | None) -> float | None:
    return None if text is None else float(text)


def _position(position: dict[str, str | None]) -> dict[str, float]:
    tracked, short = (float(position[name] or 0) for name in ("tracked", "sold_short"))
    open_base = short if position["side"] == "SELL" else tracked
    return {
        "tracked": tracked,
        "sold_short": short,
        "entry_value": open_base * float(position["entry_price"] or 0),
    }
