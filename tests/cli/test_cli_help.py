"""``execsvc help``: tables that hold all that the code has, and fit a terminal."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.command import Execsvc
from support.settings import settings

from execsvc.cli import COMMANDS, exit_codes
from execsvc.cli.help import TOPICS
from execsvc.cli.output import columns
from execsvc.control_plane.metric_names import METRICS
from execsvc.events import EVENTS
from execsvc.runner.report import EXIT_CODES
from execsvc.settings import Settings, variable_of
from execsvc.settings.checks import RELOADABLE
from execsvc.settings.model import URLS


def rows(execsvc: Execsvc, topic: str) -> list[dict[str, Any]]:
    done = execsvc("help", topic, "--json")
    assert (done.code, done.err) == (0, "")
    loaded: list[dict[str, Any]] = json.loads(done.out)
    return loaded


def test_help_alone_prints_the_usage(execsvc: Execsvc) -> None:
    assert execsvc("help") == execsvc("--help")


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_is_what_its_option_prints(name: str, execsvc: Execsvc) -> None:
    assert execsvc("help", name) == execsvc(name, "--help")


@pytest.mark.parametrize("topic", TOPICS)
def test_each_row_is_printed_whole_within_80_columns(topic: str, execsvc: Execsvc) -> None:
    done = execsvc("help", topic)

    assert (done.code, done.err) == (0, "")
    assert max(columns(line) for line in done.out.splitlines()) <= 80
    words = " ".join(done.out.split())
    for row in rows(execsvc, topic):
        assert row["about"]
        wanted = [value for value in row.values() if isinstance(value, (str, int))]
        assert [value for value in wanted if str(value) not in words] == []


def test_settings_are_those_of_the_model_with_defaults_as_an_env_file_gives_them(
    execsvc: Execsvc,
) -> None:
    found = {row["variable"]: row for row in rows(execsvc, "settings")}
    given = {
        name: found[variable_of(name)]["default"]
        for name in Settings.model_fields
        if found[variable_of(name)]["default"] is not None
    }

    assert list(found) == [variable_of(name) for name in Settings.model_fields]
    assert settings(**given) == settings()
    without = set(Settings.model_fields) - set(given)
    assert {name for name in without if Settings.model_fields[name].is_required()} == {
        *URLS,
        "state_dir",
        "runtime_dir",
    }
    assert {name for name, row in found.items() if row["changed_by"] == "reload"} == {
        variable_of(name) for name in RELOADABLE
    }
    assert [name for name in URLS if "Required." not in found[variable_of(name)]["about"]] == []


def test_help_events_lists_all_those_of_a_bot_first(execsvc: Execsvc) -> None:
    found = rows(execsvc, "events")

    assert {row["event"]: (row["level"], row["about"]) for row in found} == {
        name: (event.level, event.when) for name, event in EVENTS.items()
    }
    assert [row["of"] for row in found] == sorted(row["of"] for row in found)
    (intent,) = [row for row in found if row["event"] == "order_intent"]
    assert (intent["of"], intent["fields"]) == ("bot", ["ORDER_ID"])


def test_help_metrics_lists_all_with_their_labels(execsvc: Execsvc) -> None:
    assert [
        (row["metric"], row["kind"], tuple(row["labels"])) for row in rows(execsvc, "metrics")
    ] == [(metric.name, metric.kind, metric.labels) for metric in METRICS]


def test_exit_codes_are_those_of_the_commands_and_of_a_bots_process(execsvc: Execsvc) -> None:
    found = [(row["of"], row["code"]) for row in rows(execsvc, "exit-codes")]
    of_commands = {value for value in vars(exit_codes).values() if isinstance(value, int)}

    assert found == [
        *(("command", code) for code in sorted(of_commands)),
        *(("bot", code) for code in sorted(set(EXIT_CODES.values()))),
    ]


@pytest.mark.parametrize("arguments", [["--json"], ["stop", "--json"], ["nonsense"]])
def test_help_of_an_unknown_topic_is_wrong_usage(arguments: list[str], execsvc: Execsvc) -> None:
    done = execsvc("help", *arguments)

    assert (done.code, done.out) == (2, "")
    assert "settings" in done.err
