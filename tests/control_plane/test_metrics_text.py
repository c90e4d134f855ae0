"""``GET /metrics`` as a scraper reads it."""

from __future__ import annotations

import re
import sys
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_families
from prometheus_client.parser import text_string_to_metric_families
from support.facts import changed
from support.metrics_answer import answer, bot, counted, held_back

from execsvc.control_plane.app import create_app
from execsvc.control_plane.metric_names import COUNTERS, HISTOGRAMS, METRICS
from execsvc.errors import Unavailable
from execsvc.model.bot import InvalidRow
from execsvc.runner.counts import SERIES
from execsvc.supervisor.bots.next_step import ServiceMode
from execsvc.supervisor.processes.loop_clock import LoopClock

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scraped(document: dict[str, Any]) -> Samples:
    """Every sample of the text, by name and labels."""
    reply = create_app(lambda _: document, None).test_client().get("/metrics")
    assert reply.status_code == 200, reply.text
    assert reply.content_type.startswith("text/plain; version=")
    found: Samples = {}
    for family in text_string_to_metric_families(reply.text):
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in found, "one series twice ends the whole scrape"
            found[key] = sample.value
    return found


def one(samples: Samples, name: str, /, **labels: str) -> float | None:
    return samples.get((name, frozenset(labels.items())))


def families(document: dict[str, Any]) -> dict[str, Any]:
    reply = create_app(lambda _: document, None).test_client().get("/metrics")
    return {family.name: family for family in text_string_to_metric_families(reply.text)}


def test_every_metric_is_there_with_its_type_text_and_labels() -> None:
    found = families(answer(bot()))
    for metric in METRICS:
        family = found[metric.name.removesuffix("_total")]
        assert (family.type, family.documentation) == (metric.kind, metric.about)
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == set(metric.labels)
    assert len(found) == len(METRICS)


def test_names_follow_the_conventions() -> None:
    for metric in METRICS:
        assert re.fullmatch(r"execsvc_[a-z][a-z_]*[a-z]", metric.name)
        assert metric.name.endswith("_total") == (metric.kind == "counter")
        assert not metric.name.endswith(("_count", "_sum", "_bucket"))
        assert metric.about.endswith(".")
    assert len({metric.name for metric in METRICS}) == len(METRICS)


def test_only_gauges_name_a_bot() -> None:
    assert {metric.kind for metric in METRICS if "bot_id" in metric.labels} == {"gauge"}


def test_every_number_of_a_report_has_a_metric_with_as_many_labels() -> None:
    for series in SERIES:
        assert len(COUNTERS[series.name].labels) == len(series.labels)


def test_a_bot_as_numbers() -> None:
    samples = scraped(answer(bot()))
    ours = {"bot_id": "b1", "symbol": "BTC/USDT"}
    assert one(samples, "execsvc_bot_tracked_base", **ours) == 0.02
    assert one(samples, "execsvc_bot_entry_value_quote", **ours) == 1000.0
    assert one(samples, "execsvc_bot_sold_short_base", **ours) == 0.0
    assert one(samples, "execsvc_bot_state", bot_id="b1", state="RUNNING") == 1
    assert one(samples, "execsvc_bot_last_tick_timestamp_seconds", bot_id="b1") == 1767323045.5
    assert one(samples, "execsvc_bots", state="RUNNING") == 1
    assert one(samples, "execsvc_bots", state="FAILED") == 0
    info = {"name": "My bot", "strategy": "test_trading_v1", "mode": "LIVE"}
    assert one(samples, "execsvc_bot_info", **ours, **info) == 1


def test_a_short_position_is_worth_what_was_sold() -> None:
    short = {"side": "SELL", "tracked": "0", "sold_short": "0.5", "entry_price": "100"}
    samples = scraped(answer(bot(position=short)))
    ours = {"bot_id": "b1", "symbol": "BTC/USDT"}
    assert one(samples, "execsvc_bot_sold_short_base", **ours) == 0.5
    assert one(samples, "execsvc_bot_entry_value_quote", **ours) == 50.0


def test_an_unreadable_position_is_not_shown_as_none() -> None:
    damaged = changed(bot(), owner=None, unreadable="file is not a database")
    names = {name for name, _ in scraped(answer(damaged))}
    assert "execsvc_bot_tracked_base" not in names
    assert "execsvc_bot_state" in names


def test_results_and_guards() -> None:
    document = answer(bot("b1"), bot("b2"), bot("b3"))
    first, second, third = document["bots"]
    first["result"] = {"currency": "USDT", "realised": "-12.5", "today": "0"}
    second["result"] = {"currency": "USDT", "realised": None, "today": None}
    assert third["guards"] == []
    first["guards"] = [{"guard": "daily_loss", "since": "x", "detail": "y"}]
    second["guards"] = [{"guard": "daily_loss"}, {"guard": "data_age"}]
    samples = scraped(document)
    ours = {"bot_id": "b1", "currency": "USDT"}
    assert one(samples, "execsvc_bot_realised_quote", **ours) == -12.5
    assert one(samples, "execsvc_bot_realised_today_quote", **ours) == 0.0
    assert len([name for name, _ in samples if name == "execsvc_bot_realised_quote"]) == 1
    assert one(samples, "execsvc_guards_tripped", guard="daily_loss") == 2
    assert one(samples, "execsvc_guards_tripped", guard="data_age") == 1
    assert one(samples, "execsvc_guards_tripped", guard="order_rate") == 0


def test_a_bot_that_is_gone_leaves_no_series() -> None:
    before, after = scraped(answer(bot("b1"), bot("b2"))), scraped(answer(bot("b2")))
    gone = {key for key in before if ("bot_id", "b1") in key[1]}
    assert len(gone) == 8
    assert gone == before.keys() - after.keys()


@pytest.mark.parametrize("odd", ['a"b\\c\nd', "ключ/..", "x" * 200, "{}=,", " "])
def test_any_name_can_be_written(odd: str) -> None:
    samples = scraped(answer(bot(odd, odd)))
    assert one(samples, "execsvc_bot_state", bot_id=odd, state="RUNNING") == 1


def test_a_name_that_no_text_can_hold_does_not_end_the_scrape() -> None:
    samples = scraped(answer(bot(name="a\ud800b")))
    (labels,) = [dict(labels) for name, labels in samples if name == "execsvc_bot_info"]
    assert labels["name"] == "a?b"


def test_rows_without_an_id_count_and_have_no_series() -> None:
    samples = scraped(answer(bot(), nameless=[InvalidRow(name="x", reason="y")] * 2))
    assert one(samples, "execsvc_bots", state="INVALID") == 2
    assert len([name for name, _ in samples if name == "execsvc_bot_info"]) == 1


def test_counters_have_their_sums() -> None:
    totals = counted({n: n + 1 for n in range(len(SERIES))})
    totals.restarts, totals.listings, totals.listing_failures = 901, 902, 903
    samples = scraped(answer(totals=totals))
    for n, series in enumerate(SERIES):
        metric = COUNTERS[series.name]
        labels = dict(zip(metric.labels, series.labels, strict=True))
        assert one(samples, metric.name, **labels) == n + 1
    for n, name in enumerate(("restarts", "listings", "listing_failures")):
        assert one(samples, COUNTERS[name].name) == 901 + n


def test_buckets_add_up() -> None:
    place = len(SERIES)
    samples = scraped(answer(totals=counted({place: 2, place + 2: 3, place + 12: 1_500_000})))
    name = HISTOGRAMS["tick_seconds"].name
    assert one(samples, f"{name}_bucket", le="0.01") == 2
    assert one(samples, f"{name}_bucket", le="0.05") == 5
    assert one(samples, f"{name}_bucket", le="+Inf") == 5
    assert one(samples, f"{name}_count") == 5
    assert one(samples, f"{name}_sum") == 1.5


def test_the_loop_shows_how_late_it_is() -> None:
    clock = LoopClock()
    clock.late.observe(0.4)
    clock.busy.observe(3.0)
    samples = scraped(answer(clock=clock))
    assert one(samples, "execsvc_loop_late_seconds_bucket", le="0.25") == 0
    assert one(samples, "execsvc_loop_late_seconds_bucket", le="0.5") == 1
    assert one(samples, "execsvc_loop_busy_seconds_sum") == 3.0


def test_what_is_wrong_with_the_service() -> None:
    well = scraped(answer(bot()))
    ill = scraped(
        answer(
            bot(contested=2, liquidation_failed=True),
            polled=held_back(6),
            service=ServiceMode.LIQUIDATE,
        )
    )
    for name, before, after in (
        ("execsvc_degraded", 0, 1),
        ("execsvc_stopping", 0, 1),
        ("execsvc_mass_stop_bots", 0, 6),
        ("execsvc_listing_age_seconds", 1.5, 20.0),
        ("execsvc_listing_interval_seconds", 5.0, 5.0),
    ):
        assert (one(well, name), one(ill, name)) == (before, after)
    for kind, before, after in (("liquidation", 0, 1), ("contested", 0, 1), ("failed", 0, 0)):
        assert one(well, "execsvc_conditions", kind=kind) == before
        assert one(ill, "execsvc_conditions", kind=kind) == after
    assert one(ill, "execsvc_bot_contested_orders", bot_id="b1") == 2
    assert one(ill, "execsvc_bot_liquidation_failing", bot_id="b1") == 1
    assert one(well, "execsvc_bot_liquidation_failing", bot_id="b1") == 0


def test_open_metrics_is_answered_too() -> None:
    client = create_app(lambda _: answer(bot()), None).test_client()
    accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
    reply = client.get("/metrics", headers={"Accept": accept})
    assert reply.content_type.startswith("application/openmetrics-text")
    names = {family.name for family in open_families(reply.text)}
    assert names == {metric.name.removesuffix("_total") for metric in METRICS}


@pytest.mark.parametrize("kind", ["text/plain", "application/openmetrics-text"])
def test_a_version_that_is_none_gets_the_plain_format(kind: str) -> None:
    client = create_app(lambda _: answer(bot()), None).test_client()
    reply = client.get("/metrics", headers={"Accept": f"{kind};version=x"})
    assert reply.status_code == 200
    assert reply.content_type.startswith("text/plain; version=0.0.4")


def test_a_silent_supervisor_fails_the_scrape() -> None:
    def ask(_: dict[str, Any]) -> dict[str, Any]:
        raise Unavailable("x")

    reply = create_app(ask, None).test_client().get("/metrics")
    assert (reply.status_code, reply.get_json()) == (
        503,
        {"error": "the supervisor does not answer"},
    )


def test_metrics_want_the_token() -> None:
    client = create_app(lambda _: answer(), "s3cret").test_client()
    assert client.get("/metrics").status_code == 401
    bearer = {"Authorization": "Bearer s3cret"}
    assert client.get("/metrics", headers=bearer).status_code == 200


def test_without_its_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    monkeypatch.delitem(sys.modules, "execsvc.control_plane.exposition", raising=False)
    asked: list[Any] = []
    client = create_app(lambda request: asked.append(request) or {}, None).test_client()
    reply = client.get("/metrics")
    assert reply.status_code == 404
    assert "execsvc[metrics]" in reply.get_json()["error"]
    assert asked == []
