"""Rows without a usable id are told of when they change, and not at each listing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from loguru import logger

from execsvc.clients.bot_service import Listing
from execsvc.model.bot import InvalidRow
from execsvc.supervisor.bots.bots import Bots
from execsvc.supervisor.bots.fleet import Fleet

ONE = InvalidRow(name="My bot", reason="id is missing")
OTHER = InvalidRow(name="", reason="the row is no object")


class Log:
    """The listings of a supervisor, and what was logged of each."""

    def __init__(self, bots: Bots) -> None:
        self._bots = bots
        self.lines: list[str] = []

    def after(self, *rows: InvalidRow) -> list[str]:
        self.lines.clear()
        self._bots.listed(Listing(bots={}, invalid={}, nameless=[*rows]))
        return [*self.lines]


@pytest.fixture
def log() -> Iterator[Log]:
    nothing: Any = None
    made = Log(Bots(nothing, nothing, Fleet()))
    sink = logger.add(lambda line: made.lines.append(str(line)), format="{extra[event]} {message}")
    yield made
    logger.remove(sink)


@pytest.mark.says("rows_without_id")
def test_rows_are_told_of_once_a_change(log: Log) -> None:
    (line,) = log.after(ONE, OTHER, ONE)
    assert line.startswith("rows_without_id rows without a usable id")
    assert "3 (My bot: id is missing; the row is no object)" in line
    assert log.after(OTHER, ONE, ONE) == []
    assert len(log.after(OTHER, ONE)) == 1
    assert log.after(ONE, OTHER) == []
    assert log.after() == []
    assert len(log.after(ONE)) == 1


def test_many_rows_are_one_short_line(log: Log) -> None:
    (line,) = log.after(*(InvalidRow(name=f"n{n}", reason="no") for n in range(1000)))
    assert ": 1000 (n0: no; n100: no; n101: no; n102: no; n103: no; …)" in line
