"""The events that a test made the real code log: in this process, in a daemon's log, in ledgers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from loguru import logger
from support.store_files import execution_logs

import execsvc
from execsvc.events import EVENTS, Event, EventName

_LINE = re.compile(r'\S+Z (?P<level>[A-Z]+) +(?:\w+=(?:"[^"]*"|\S+) )*?event=(?P<event>\w+) ')
_FIELD = re.compile(r"\b([a-z_]+)=")
_PACKAGE = Path(execsvc.__file__).parent


class Sighting(NamedTuple):
    """One record with an event."""

    event: str
    level: str | None
    """None where it is not written down: in a ledger."""
    fields: frozenset[str]


class Recorder:
    """Takes note of every event of this process, and finds those of others in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._here: list[Sighting] = []
        self._handler = logger.add(self._note, level=0, format=lambda _: "")

    def all(self) -> list[Sighting]:
        """The sighting."""
        return [*self._here, *_logged(self._folder), *_in_ledgers(self._folder)]

    def close(self) -> None:
        """Stop, unless the test has set up a log of its own in this process."""
        with suppress(ValueError):
            logger.remove(self._handler)

    def _note(self, message: object) -> None:
        record = message.record  # type: ignore[attr-defined]
        extra = record["extra"]
        if "event" in extra and _PACKAGE in Path(record["file"].path).parents:
            self._here.append(Sighting(extra["event"], record["level"].name, frozenset(extra)))


def lacking(name: EventName, seen: list[Sighting]) -> str | None:
    """The faults of a sighting of one event, by the list of events."""
    listed, found = EVENTS[name], [sighting for sighting in seen if sighting.event == name]
    if not found:
        return f"{name} was not said"
    for sighting in found:
        absent = set(listed.fields) - sighting.fields
        if absent:
            return f"{name} without {', '.join(sorted(absent))}"
    return _wrong_level(name, listed, {one.level for one in found if one.level is not None})


def _wrong_level(name: EventName, listed: Event, levels: set[str]) -> str | None:
    if not levels or max(levels, key=lambda level: logger.level(level).no) == listed.level:
        return None
    return f"{name} is said at {', '.join(sorted(levels))}, not at {listed.level}"


def _logged(folder: Path) -> Iterator[Sighting]:
    for path in folder.rglob("*.log"):
        for line in path.read_text(errors="replace").splitlines():
            yield from _in_json(line) if line.startswith("{") else _in_text(line)


def _in_text(line: str) -> Iterator[Sighting]:
    told = _LINE.match(line)
    if told:
        yield Sighting(told["event"], told["level"], frozenset(_FIELD.findall(line)))


def _in_json(line: str) -> Iterator[Sighting]:
    record = json.loads(line)
    if "event" in record:
        yield Sighting(record["event"], record["level"], frozenset(record))


def _in_ledgers(folder: Path) -> Iterator[Sighting]:
    for event, data in execution_logs(folder):
        # Which bot it is about is said by the ledger itself.
        yield Sighting(event, None, frozenset({"bot_id", *data}))
