"""The reports of starts and stops: made when requested, not twice, and never when it is too late."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import pytest
from support.bot_service_wire import Wire
from support.store_files import file_stem

from execsvc.clients.bot_reports import BotReports
from execsvc.clients.bot_sessions import BotSessions
from execsvc.clock import SimulatedClock, installed
from execsvc.errors import Unavailable
from execsvc.reporting.backoff import Backoff
from execsvc.reporting.lifecycle import (
    LONGEST_DELAY,
    REPORTS_FIRST,
    RESEND_AFTER,
    SHORTEST_BELIEF,
    STOP_IS_OVER,
    Lifecycle,
)
from execsvc.reporting.names import BotNames

AT = datetime(2026, 1, 1, tzinfo=timezone.utc)
BOT = "a/b ü"


class Reports:
    """A lifecycle, and the rows of BotService."""

    def __init__(self, clock: SimulatedClock) -> None:
        self.clock = clock
        self.wire = Wire()
        backoff = Backoff(LONGEST_DELAY, lambda: 0.0)
        self.found: list[str] = []
        self.stopped: list[str] = []
        self.waiting: set[str] = set()
        self.left = 0.0
        self.lifecycle = Lifecycle(
            BotReports(self.wire), BotSessions(self.wire), self, backoff, 1.0, BotNames(file_stem)
        )
        self._bots = self.wire.sandbox.state.bots
        self._bots.replace([{"id": BOT, "status": "BOOTING"}, {"id": "b", "status": "STOPPING"}])

    def waits(self, bot_id: str) -> bool:
        return bot_id in self.waiting

    def ending(self, bot_id: str, ends: bool) -> None:
        """Do nothing: no reports wait for a start here."""

    def starting(self, bot_id: str) -> float:
        left, self.left = self.left, 0.0
        return left

    def not_started(self, bot_id: str) -> None:
        """Do nothing: no file keeps the answer here."""

    def begun(self, bot_id: str, session: Any) -> None:
        assert session is not None

    def ended(self, bot_id: str, session: Any) -> None:
        """Do nothing: no order needs the session here."""

    def look_up_session(self, bot_id: str) -> None:
        self.found.append(bot_id)

    def row_stopped(self, bot_id: str) -> None:
        self.stopped.append(bot_id)

    def request(self, bot_id: str, kind: Any) -> None:
        self.lifecycle.request(bot_id, kind, {"start": "BOOTING", "stop": "STOPPING"}[kind])

    def status(self, bot_id: str = BOT) -> Any:
        row = self._bots.get(bot_id)
        assert row is not None
        return row["status"]

    def put(self, status: str, bot_id: str = BOT) -> None:
        self._bots.change(bot_id, {"status": status})

    def late(self, call: str, *_: Any) -> Any:
        self.clock.advance(RESEND_AFTER)
        raise Unavailable(f"{call}: no answer within 5 s")

    def report_all(self) -> None:
        while self.lifecycle.step():
            pass


@pytest.fixture
def reports() -> Iterator[Reports]:
    clock = SimulatedClock(AT, 100.0)
    with installed(clock):
        yield Reports(clock)


def test_each_kind_of_report_is_made(reports: Reports) -> None:
    reports.request(BOT, "start")
    reports.request("b", "stop")
    reports.report_all()
    assert (reports.status(), reports.status("b")) == ("RUNNING", "STOPPED")
    assert reports.lifecycle.next_moment() == float("inf")


def test_listing_from_before_a_report_leads_to_no_second_one(reports: Reports) -> None:
    reports.request(BOT, "start")
    reports.report_all()
    reports.put("BOOTING")
    reports.request(BOT, "start")
    reports.report_all()
    assert reports.status() == "BOOTING"
    reports.clock.advance(SHORTEST_BELIEF)
    reports.request(BOT, "start")
    reports.report_all()
    assert reports.status() == "RUNNING"


def test_report_of_the_other_kind_is_made_at_once(reports: Reports) -> None:
    for kind, status in (("start", "RUNNING"), ("stop", "STOPPED"), ("start", "RUNNING")):
        reports.put({"start": "BOOTING", "stop": "STOPPING"}[kind])
        reports.request(BOT, kind)
        reports.report_all()
        assert reports.status() == status


def test_report_that_was_requested_too_long_ago_is_not_made(reports: Reports) -> None:
    reports.request(BOT, "start")
    reports.clock.advance(SHORTEST_BELIEF)
    reports.report_all()
    assert reports.status() == "BOOTING"
    assert reports.lifecycle.next_moment() == float("inf")


def test_report_that_is_withdrawn_is_not_made(reports: Reports) -> None:
    reports.wire.always["/start"] = "500"
    reports.request(BOT, "start")
    reports.report_all()
    reports.wire.always.clear()
    reports.request(BOT, "start")
    reports.lifecycle.withdraw(BOT)
    reports.lifecycle.withdraw("nobody")
    reports.clock.advance(1.0)
    reports.report_all()
    assert reports.status() == "BOOTING"
    assert reports.lifecycle.next_moment() == float("inf")


@pytest.mark.parametrize("fate", ["500", "503", "404", "unsent", "garbage"])
def test_a_word_that_was_not_taken_is_said_when_it_is_asked_for_again(
    reports: Reports, fate: str
) -> None:
    reports.wire.always["/start"] = fate
    reports.request(BOT, "start")
    reports.report_all()
    reports.wire.always.clear()
    reports.clock.advance(RESEND_AFTER)
    reports.report_all()
    reports.put("BOOTING")
    reports.request(BOT, "start")
    reports.report_all()
    assert reports.status() == "RUNNING"


@pytest.mark.parametrize(("kind", "fate", "fine"), [("stop", "400", True), ("start", "400", False)])
def test_a_bot_without_a_session_has_stopped(
    reports: Reports, kind: Any, fate: str, fine: bool
) -> None:
    reports.wire.always[f"/{kind}"] = fate
    reports.put("STOPPING" if kind == "stop" else "BOOTING", "b")
    reports.request("b", kind)
    reports.report_all()
    reports.request("b", kind)
    assert (reports.lifecycle.next_moment() == float("inf")) == fine


def test_start_whose_answer_was_lost_is_not_sent_again(reports: Reports) -> None:
    reports.wire.always["/start"] = "lost"
    reports.request(BOT, "start")
    reports.report_all()
    reports.wire.always.clear()
    for _ in range(3):
        reports.clock.advance(4.0)
        reports.request(BOT, "start")
        reports.report_all()
    assert reports.status() == "RUNNING"
    assert reports.found == [BOT]
    assert len(reports.wire.sandbox.state.sessions.tables()["sessions"]) == 1


def test_start_is_waited_for_from_the_end_of_the_wait_for_its_answer(reports: Reports) -> None:
    write, reports.wire.write = reports.wire.write, reports.late  # type: ignore[method-assign]
    reports.request(BOT, "start")
    reports.report_all()
    reports.wire.write = write  # type: ignore[method-assign]
    reports.clock.advance(RESEND_AFTER - 1)
    reports.request(BOT, "start")
    reports.report_all()
    assert reports.status() == "BOOTING"
    reports.clock.advance(1.0)
    reports.report_all()
    assert reports.status() == "RUNNING"


def test_start_that_was_not_answered_is_sent_again_only_after_a_while(reports: Reports) -> None:
    reports.wire.always["/start"] = "503"
    reports.request(BOT, "start")
    reports.report_all()
    reports.wire.always.clear()
    reports.clock.advance(RESEND_AFTER - 1)
    reports.request(BOT, "start")
    reports.report_all()
    assert reports.status() == "BOOTING"
    reports.clock.advance(1.0)
    reports.report_all()
    assert reports.status() == "RUNNING"


def test_start_of_an_earlier_process_is_waited_for(reports: Reports) -> None:
    reports.left = 7.0
    for passed in (0.0, 3.0, 3.0):
        reports.clock.advance(passed)
        reports.request(BOT, "start")
        reports.report_all()
        assert reports.status() == "BOOTING"
    reports.clock.advance(1.0)
    reports.report_all()
    assert reports.status() == "RUNNING"


def test_stop_waits_for_the_reports_of_its_bot_and_not_for_ever(reports: Reports) -> None:
    reports.waiting.add("b")
    for _ in range(int(REPORTS_FIRST)):
        reports.request("b", "stop")
        reports.report_all()
        assert reports.status("b") == "STOPPING"
        reports.clock.advance(1.0)
    reports.request("b", "stop")
    reports.report_all()
    assert reports.status("b") == "STOPPED"


def test_stop_waits_no_longer_for_reports_when_listings_are_far_apart(reports: Reports) -> None:
    reports.waiting.add("b")
    for _ in range(int(REPORTS_FIRST / 12)):
        reports.request("b", "stop")
        reports.report_all()
        assert reports.status("b") == "STOPPING"
        reports.clock.advance(12.0)
        reports.report_all()
    reports.request("b", "stop")
    reports.report_all()
    assert reports.status("b") == "STOPPED"


def test_stop_that_is_asked_for_long_after_another_waits_for_its_own_reports(
    reports: Reports,
) -> None:
    reports.waiting.add("b")
    reports.request("b", "stop")
    reports.clock.advance(STOP_IS_OVER)
    reports.report_all()
    reports.request("b", "stop")
    reports.report_all()
    assert reports.status("b") == "STOPPING"


def test_row_that_was_stopped_or_is_found_so_is_told_of(reports: Reports) -> None:
    reports.request("b", "stop")
    reports.report_all()
    assert reports.stopped == ["b"]
    reports.put("STOPPED")
    reports.request(BOT, "start")
    reports.report_all()
    assert reports.stopped == ["b", BOT]
    assert reports.status() == "STOPPED"
