"""Every bot that is BOOTING is named to the process that reports, however many there are at once."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from execsvc.clients.bot_service import Listing
from execsvc.settings import Switch
from execsvc.supervisor.processes.loop_clock import Timers
from execsvc.supervisor.report_requests import ReportRequests
from execsvc.workers.lines import Lines

MANY = 3000


class Child:
    """Has a pipe of the machine's own size, and reads it when a test says so."""

    gone = False
    key = "reports"

    def __init__(self) -> None:
        read, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._lines = Lines(read, 4096)

    def request(self, line: bytes) -> bool:
        try:
            return os.write(self._write, line) == len(line)
        except BlockingIOError:
            return False

    def heard(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._lines.read()]

    def finish(self) -> None:
        """Take note that no other request comes."""

    def close(self) -> None:
        self._lines.close()
        os.close(self._write)


class Reporting:
    """The supervisor's end, and the names of BOOTING bots that its child was sent."""

    def __init__(self) -> None:
        self.child = Child()
        self.timers = Timers()
        self.news: set[str] = set()
        self.context: Any = SimpleNamespace(
            bots={},
            news=self.news,
            halted=False,
            timers=self.timers,
            clock=SimpleNamespace(now=1.0),
            settings=SimpleNamespace(report_ledger=Switch.AUTO, bot_lifecycle=Switch.AUTO),
        )
        self.reporting = ReportRequests(
            self.context, self.context, self.context, self.context, cast(Any, None), lambda *_: None
        )
        self.reporting.channel = self.child  # type: ignore[assignment]
        self.names: list[str] = []
        self.complete = False
        self.looked = False

    def list(self, *bot_ids: str) -> None:
        listing = Listing.model_construct(bots=dict.fromkeys(bot_ids), invalid={}, booting=bot_ids)
        self.reporting.listed(listing, listing)

    def read(self) -> None:
        """The child takes what is in its pipe."""
        for asked in self.child.heard():
            if asked.get("anew"):
                self.names, self.complete = [], False
            if "booting" in asked:
                assert not self.complete
                self.names.append(asked["booting"])
            self.complete = self.complete or asked.get("complete", False)
            if "changed" in asked:
                assert self.complete, "it looks at orders of bots whose names it was not sent"
                self.looked = True

    def turns(self) -> int:
        """The count of turns of the loop until no timer is left to come back for."""
        count = 0
        while self.timers.due(self.context.clock.now + 1.0):
            self.read()
            self.reporting.pass_on()
            count += 1
        self.read()
        return count


@pytest.fixture
def side() -> Iterator[Reporting]:
    made = Reporting()
    yield made
    made.child.close()


def ids(count: int) -> tuple[str, ...]:
    return tuple(f"00000000-0000-0000-0000-{number:012d}" for number in range(count))


def test_more_than_a_pipe_takes_are_all_named_before_anything_else_is_asked(
    side: Reporting,
) -> None:
    side.list(*ids(MANY))
    side.context.news.add(ids(1)[0])
    side.reporting.pass_on()
    assert side.turns() > 1
    assert side.names == list(ids(MANY))
    assert side.complete
    assert side.looked


def test_names_of_a_later_listing_take_the_place_of_those_that_wait_for_room(
    side: Reporting,
) -> None:
    side.list(*ids(MANY))
    side.list("b1", "b2")
    side.turns()
    assert side.names == ["b1", "b2"]
    assert side.complete
    side.list("b1", "b2")
    assert side.child.heard() == []


def test_names_that_wait_for_room_keep_no_last_report_back(side: Reporting) -> None:
    side.list(*ids(MANY))
    side.read()
    side.context.news.add("b1")
    side.reporting.finish()
    (last,) = side.child.heard()
    assert last["changed"]
