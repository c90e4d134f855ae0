"""The dashboard and the alert rules: they load, and ask for nothing that ``/metrics`` does not show."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from support.environment import scrubbed
from support.requirements import needs

from execsvc.clients.exchange_adapter import Read
from execsvc.control_plane.metric_names import METRICS
from execsvc.runner.counts import SERIES, LiquidationResult, Outcome, TickResult
from execsvc.supervisor.bots.states import State

FOLDER = Path(__file__).resolve().parent.parent / "systemd" / "monitoring"
RULES = FOLDER / "execsvc.rules.yml"
RULES_TEST = FOLDER / "execsvc.rules.test.yml"
DASHBOARD = FOLDER / "grafana-dashboard.json"
OURS = re.compile(r"execsvc_[a-z_]+")
SELECTED = re.compile(r"(execsvc_[a-z_]+)\{([^}]*)\}")
MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
LABELS = {metric.name: set(metric.labels) for metric in METRICS}
OF_THE_SCRAPE = {"instance", "job"}
VALUES: dict[str, set[str]] = {
    "state": {state.value for state in State},
    "outcome": set(get_args(Outcome)),
    "call": set(get_args(Read)),
    "side": {"buy", "sell"},
    "mode": {labels[0] for name, labels in SERIES if name == "orders"},
    "result": {*get_args(TickResult), *get_args(LiquidationResult)},
}


def metric_of(name: str) -> str:
    """The metric behind a name in PromQL."""
    for suffix in ("_bucket", "_sum", "_count"):
        if name.endswith(suffix) and name not in LABELS:
            return name.removesuffix(suffix)
    return name


def expressions() -> Iterator[tuple[str, str]]:
    """All PromQL, each with where it stands."""
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"].replace('=~"$instance"', '="x"')
    for variable in dashboard()["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["name"], variable["query"]["query"]
    lines = RULES.read_text().splitlines()
    for n, line in enumerate(lines):
        found = re.match(r"( +)expr: (.*)", line)
        if found:
            indent = len(found[1]) + 2
            more = [rest for rest in lines[n + 1 : n + 4] if rest.startswith(" " * indent)]
            yield lines[n - 1].strip(), " ".join([found[2].removeprefix(">-"), *more])


def dashboard() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(DASHBOARD.read_text())
    return loaded


def test_every_metric_that_is_asked_for_exists() -> None:
    asked = {
        (where, name)
        for where, text in expressions()
        for name in OURS.findall(text)
        if metric_of(name) not in LABELS
    }
    assert asked == set()
    tried = {metric_of(name) for name in OURS.findall(RULES_TEST.read_text())}
    assert tried <= LABELS.keys()


def test_every_metric_is_looked_at_by_dashboard_or_rules() -> None:
    asked = {metric_of(name) for _, text in expressions() for name in OURS.findall(text)}
    unseen = {
        "execsvc_start_time_seconds",
        "execsvc_stopping",
        "execsvc_listings_total",
        "execsvc_bot_last_tick_timestamp_seconds",
        "execsvc_bot_sold_short_base",
    }
    assert LABELS.keys() - asked == unseen


def test_matchers_name_labels_and_values_that_exist() -> None:
    seen = 0
    for where, text in expressions():
        for name, inside in SELECTED.findall(text):
            allowed = LABELS[metric_of(name)] | OF_THE_SCRAPE | {"le"}
            for label, _, value in MATCHER.findall(inside):
                assert label in allowed, where
                assert label in OF_THE_SCRAPE or value in VALUES[label], where
                seen += 1
    assert seen > 30


def test_sums_are_over_labels_that_exist() -> None:
    every = {label for labels in LABELS.values() for label in labels} | OF_THE_SCRAPE | {"le"}
    grouped = [
        (where, label.strip())
        for where, text in expressions()
        for inside in re.findall(r"\b(?:by|without|on)\s*\(([^)]*)\)", text)
        for label in inside.split(",")
    ]
    assert len(grouped) > 10
    assert [pair for pair in grouped if pair[1] not in every] == []


def test_counters_and_histograms_are_only_looked_at_as_they_grow() -> None:
    grows = {metric.name for metric in METRICS if metric.kind != "gauge"}
    for where, text in expressions():
        for found in OURS.finditer(text):
            if metric_of(found[0]) in grows:
                before = text[: found.start()].rstrip()
                assert before.endswith(("rate(", "increase(")), where


def test_the_dashboard_is_one_that_grafana_takes() -> None:
    document = dashboard()
    assert document["schemaVersion"] >= 36
    assert (document["uid"], document["title"]) == ("execsvc", "execsvc")
    assert "id" not in document, "an id would overwrite another dashboard at an import"
    panels = document["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len({panel["title"] for panel in panels if panel["type"] != "row"}) >= 20
    names = [variable["name"] for variable in document["templating"]["list"]]
    assert names == ["datasource", "instance"]
    for panel in panels:
        if panel["type"] == "row":
            continue
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        references = [target["refId"] for target in panel["targets"]]
        assert references
        assert len(set(references)) == len(references)
        assert all(target["expr"] for target in panel["targets"])


def test_the_operators_page_has_every_metric_with_its_labels() -> None:
    text = (FOLDER.parent / "README.rst").read_text("utf-8")
    section = text.split("\nMetrics\n-------\n")[1].split("\n------")[0]
    rows = [
        re.findall(r"``([\w ]+)``", line)
        for line in section.splitlines()
        if re.match(r"``[a-z_]+`` ", line)
    ]
    assert {row[0]: set(" ".join(row[1:]).split()) for row in rows} == LABELS


def test_no_panel_covers_another() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard()["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        cells = {
            (place["x"] + dx, place["y"] + dy)
            for dx in range(place["w"])
            for dy in range(place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells


def test_every_alert_is_tried_both_ways() -> None:
    alerts = re.findall(r"- alert: (\w+)", RULES.read_text())
    tried = re.findall(r"alertname: (\w+)", RULES_TEST.read_text())
    assert len(alerts) == len(set(alerts)) > 10
    assert sorted(tried) == sorted(alerts * 2)


@needs("promtool")
@pytest.mark.parametrize("command", [("check", RULES), ("test", RULES_TEST)])
def test_prometheus_takes_the_rules(command: tuple[str, Path]) -> None:
    verb, path = command
    done = subprocess.run(
        ["promtool", verb, "rules", path.name],
        cwd=FOLDER,
        env=scrubbed(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SUCCESS" in done.stdout + done.stderr
