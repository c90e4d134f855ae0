"""The list of events: the operator's page has it, the code keeps to it, and each is seen in a test."""

from __future__ import annotations

import ast
import ctypes
import re
import resource
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import get_args

import pytest
from loguru import logger
from support.sightings import Recorder, Sighting, lacking
from support.stores import store_in

from execsvc.clock import now
from execsvc.events import EVENTS, EventName
from execsvc.logs.journal import FIELDS
from execsvc.logs.render import PRIORITIES
from execsvc.supervisor.processes import parent

TESTS = Path(__file__).resolve().parent
ROOT = TESTS.parent
SAID = Sighting("order_intent", "DEBUG", frozenset({"bot_id", "order_id"}))
LEVELS = {level.lower(): level for level in PRIORITIES}


def calls(folder: Path) -> Iterator[tuple[Path, ast.Call, ast.AST]]:
    """Each call in the sources, with the function that it is in."""
    for path in sorted(folder.rglob("*.py")):
        waiting: list[tuple[ast.AST, ast.AST]] = [
            (tree := ast.parse(path.read_text("utf-8")), tree)
        ]
        while waiting:
            node, within = waiting.pop()
            if isinstance(node, ast.Call):
                yield path, node, within
            inner = node if isinstance(node, ast.FunctionDef) else within
            waiting.extend((child, inner) for child in ast.iter_child_nodes(node))


def method(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def bound_event(call: ast.Call) -> ast.expr | None:
    """The event that ``call`` binds, if it does."""
    found = [key.value for key in call.keywords if key.arg == "event"]
    return found[0] if found and method(call) == "bind" else None


def constants(value: ast.expr) -> list[str] | None:
    """The texts that ``value`` may be, in order; None when it is no matter of literals."""
    if isinstance(value, ast.IfExp):
        one, other = constants(value.body), constants(value.orelse)
        return None if one is None or other is None else one + other
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return [value.value]
    return None


def is_declared(value: ast.expr, within: ast.AST) -> bool:
    """True when ``value`` is a name whose type is EventName, so that mypy has looked."""
    return isinstance(value, ast.Name) and any(
        isinstance(node, (ast.arg, ast.AnnAssign))
        and node.annotation is not None
        and ast.unparse(node.annotation) == "EventName"
        and value.id == (node.arg if isinstance(node, ast.arg) else ast.unparse(node.target))
        for node in ast.walk(within)
    )


def table_rows() -> list[list[str]]:
    """The rows of the section Events of the operator's page."""
    text = (ROOT / "systemd" / "README.rst").read_text("utf-8")
    section = re.search(r"\nEvents\n-+\n(.*?)\n\S[^\n]*\n-{4,}\n", text, re.DOTALL)
    assert section
    lines = section[1].split("\n")
    rows = []
    bar = ""
    for line in lines:
        if line.startswith("===="):
            bar = line
        elif line.startswith("``") and bar:
            starts = [match.start() for match in re.finditer("=+", bar)]
            ends = [*starts[1:], len(line) + 1]
            rows.append([line[i:j].strip() for i, j in zip(starts, ends, strict=True)])
    return rows


def test_the_operators_page_has_the_list() -> None:
    written = {
        name.strip("`"): (level, when, fields.strip("`").split())
        for name, level, fields, when in table_rows()
    }

    assert written == {
        name: (
            event.level,
            event.when,
            [FIELDS[field] for field in event.fields if field != "bot_id"],
        )
        for name, event in EVENTS.items()
    }


def test_an_event_about_a_bot_is_in_the_table_of_bots() -> None:
    names = [name.strip("`") for name, *_ in table_rows()]
    of_bots = ["bot_id" in EVENTS[name].fields for name in names]  # type: ignore[index]

    assert of_bots == sorted(of_bots, reverse=True)


def test_every_name_has_a_row_and_reads_like_the_others() -> None:
    assert set(get_args(EventName)) == EVENTS.keys()
    assert list(get_args(EventName)) == sorted(EVENTS)
    assert [name for name in EVENTS if not re.fullmatch(r"[a-z]+(_[a-z]+)+", name)] == []
    assert {event.level for event in EVENTS.values()} <= PRIORITIES.keys()


def test_every_event_that_is_logged_is_in_the_list() -> None:
    """A literal is on it; a variable is declared as an EventName, which mypy checks."""
    wrong = []
    for path, call, within in calls(ROOT / "execsvc"):
        value = bound_event(call)
        names = [] if value is None else constants(value)
        if value is not None and names is None and not is_declared(value, within):
            wrong.append(f"{path.name}:{call.lineno}: no literal, and no EventName")
        wrong += [f"{path.name}:{call.lineno}: {n}" for n in names or [] if n not in EVENTS]

    assert wrong == []


def test_every_log_call_has_an_event() -> None:
    wrong = [
        f"{path.name}:{call.lineno}"
        for path, call, _ in calls(ROOT / "execsvc")
        if method(call) in {*LEVELS, "log", "exception"}
        and re.match(r"logger\b|bound\(|logs\.bound\(", ast.unparse(call.func))
        and "event=" not in ast.unparse(call.func)
    ]

    assert wrong == []


def said() -> Iterator[tuple[str, str]]:
    """Events with the levels at which they are said, where both are literals."""
    for _, call, _ in calls(ROOT / "execsvc"):
        if method(call) in LEVELS and isinstance(call.func, ast.Attribute):
            for inner in ast.walk(call.func.value):
                value = bound_event(inner) if isinstance(inner, ast.Call) else None
                for name in constants(value) or [] if value is not None else []:
                    yield name, LEVELS[method(call)]
        if method(call) == "log" and len(call.args) > 1:
            yield from zip(
                constants(call.args[1]) or [], constants(call.args[0]) or [], strict=False
            )


def test_levels_are_as_listed() -> None:
    found = list(said())

    assert len(found) > len(EVENTS) / 2
    assert [
        (name, level)
        for name, level in found
        if PRIORITIES[level] < PRIORITIES[EVENTS[name].level]  # type: ignore[index]
    ] == []
    highest = {
        name: min((PRIORITIES[level] for n, level in found if n == name)) for name, _ in found
    }
    assert {n for n, p in highest.items() if p != PRIORITIES[EVENTS[n].level]} <= {  # type: ignore[index]
        "liquidation_failed"  # its level is a variable: CRITICAL once a minute
    }


def marked() -> Iterator[str]:
    """The events that tests are marked with."""
    for _, call, _ in calls(TESTS):
        if ast.unparse(call.func) == "pytest.mark.says":
            yield from (ast.literal_eval(argument) for argument in call.args)


def test_every_event_is_logged_in_a_test() -> None:
    """Those tests fail when the real code does not say it: see ``says_what_it_is_marked_with``."""
    names = list(marked())

    assert {name for name in names if name not in EVENTS} == set()
    assert EVENTS.keys() - set(names) == set()


@pytest.mark.parametrize(
    ("sightings", "wrong"),
    [
        ([], "order_intent was not said"),
        ([Sighting("order_filled", "INFO", frozenset())], "order_intent was not said"),
        ([Sighting("order_intent", None, frozenset({"bot_id"}))], "order_intent without order_id"),
        ([SAID, Sighting("order_intent", "DEBUG", frozenset())], "without bot_id, order_id"),
        ([SAID, SAID._replace(level="INFO")], "order_intent is said at DEBUG, INFO, not at DEBUG"),
        ([SAID, SAID._replace(level=None)], None),
    ],
)
def test_marked_test_without_its_event_fails(sightings: list[Sighting], wrong: str | None) -> None:
    told = lacking("order_intent", sightings)

    assert (told or "").endswith(wrong) if wrong else told is None


def test_recorder_counts_events_of_the_package_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "setrlimit", lambda *_: None)
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: SimpleNamespace(prctl=lambda *_: -1))
    recorder = Recorder(tmp_path)
    logger.bind(event="order_filled").info("a test says so")
    parent.prepare()
    ledger = store_in(tmp_path).bot("b 1")
    ledger.open()
    ledger.log(now(), "order_intent", "the code says so", {"order_id": "o"})
    ledger.close()
    (tmp_path / "daemon.log").write_text(
        '2026-01-01T00:00:00.000Z INFO     bot_id="b 1" event=bot_crashed crashed: event=x pid=4 \n'
    )
    recorder.close()

    assert set(recorder.all()) == {
        Sighting("subreaper_missing", "WARNING", frozenset({"event"})),
        Sighting("order_intent", None, frozenset({"bot_id", "order_id"})),
        Sighting("bot_crashed", "INFO", frozenset({"bot_id", "event", "pid"})),
    }
