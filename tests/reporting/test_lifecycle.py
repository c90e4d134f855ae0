"""The two words on bots: said when asked for, not twice, and never when it is too late."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import pytest
from support.told import Wire

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
from execsvc.reporting.names import Names
from execsvc.store.sqlite.paths import file_stem

AT = datetime(2026, 1, 1, tzinfo=timezone.utc)
BOT = "a/b ü"


class Words:
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
            BotReports(self.wire), BotSessions(self.wire), self, backoff, 1.0, Names(file_stem)
        )
        self._bots = self.wire.sandbox.state.bots
        self._bots.replace([{"id": BOT, "status": "BOOTING"}, {"id": "b", "status": "STOPPING"}])

    def waits(self, bot_id: str) -> bool:
        return bot_id in self.waiting

    def ending(self, bot_id: str, ends: bool) -> None:
        """Nobody's reports wait for a start here."""

    def starting(self, bot_id: str) -> float:
        left, self.left = self.left, 0.0
        return left

    def not_started(self, bot_id: str) -> None:
        """Nobody keeps it here."""

    def begun(self, bot_id: str, session: Any) -> None:
        assert session is not None

    def ended(self, bot_id: str, session: Any) -> None:
        """Nobody asks for it here."""

    def look_again(self, bot_id: str) -> None:
        self.found.append(bot_id)

    def row_stopped(self, bot_id: str) -> None:
        self.stopped.append(bot_id)

    def ask(self, bot_id: str, word: Any) -> None:
        self.lifecycle.ask(bot_id, word, {"start": "BOOTING", "stop": "STOPPING"}[word])

    def status(self, bot_id: str = BOT) -> Any:
        row = self._bots.get(bot_id)
        assert row is not None
        return row["status"]

    def put(self, status: str, bot_id: str = BOT) -> None:
        self._bots.change(bot_id, {"status": status})

    def late(self, call: str, *_: Any) -> Any:
        self.clock.advance(RESEND_AFTER)
        raise Unavailable(f"{call}: no answer within 5 s")

    def say_all(self) -> None:
        while self.lifecycle.step():
            pass


@pytest.fixture
def words() -> Iterator[Words]:
    clock = SimulatedClock(AT, 100.0)
    with installed(clock):
        yield Words(clock)


def test_each_word_is_said(words: Words) -> None:
    words.ask(BOT, "start")
    words.ask("b", "stop")
    words.say_all()
    assert (words.status(), words.status("b")) == ("RUNNING", "STOPPED")
    assert words.lifecycle.next_moment() == float("inf")


def test_a_listing_from_before_our_word_is_not_answered_again(words: Words) -> None:
    words.ask(BOT, "start")
    words.say_all()
    words.put("BOOTING")
    words.ask(BOT, "start")
    words.say_all()
    assert words.status() == "BOOTING"
    words.clock.advance(SHORTEST_BELIEF)
    words.ask(BOT, "start")
    words.say_all()
    assert words.status() == "RUNNING"


def test_the_other_word_is_said_at_once(words: Words) -> None:
    for word, status in (("start", "RUNNING"), ("stop", "STOPPED"), ("start", "RUNNING")):
        words.put({"start": "BOOTING", "stop": "STOPPING"}[word])
        words.ask(BOT, word)
        words.say_all()
        assert words.status() == status


def test_what_was_asked_for_too_long_ago_is_not_said(words: Words) -> None:
    words.ask(BOT, "start")
    words.clock.advance(SHORTEST_BELIEF)
    words.say_all()
    assert words.status() == "BOOTING"
    assert words.lifecycle.next_moment() == float("inf")


def test_what_is_withdrawn_is_not_said(words: Words) -> None:
    words.wire.always["/start"] = "500"
    words.ask(BOT, "start")
    words.say_all()
    words.wire.always.clear()
    words.ask(BOT, "start")
    words.lifecycle.withdraw(BOT)
    words.lifecycle.withdraw("nobody")
    words.clock.advance(1.0)
    words.say_all()
    assert words.status() == "BOOTING"
    assert words.lifecycle.next_moment() == float("inf")


@pytest.mark.parametrize("fate", ["500", "503", "404", "unsent", "garbage"])
def test_a_word_that_was_not_taken_is_said_when_it_is_asked_for_again(
    words: Words, fate: str
) -> None:
    words.wire.always["/start"] = fate
    words.ask(BOT, "start")
    words.say_all()
    words.wire.always.clear()
    words.clock.advance(RESEND_AFTER)
    words.say_all()
    words.put("BOOTING")
    words.ask(BOT, "start")
    words.say_all()
    assert words.status() == "RUNNING"


@pytest.mark.parametrize(("word", "fate", "fine"), [("stop", "400", True), ("start", "400", False)])
def test_a_bot_without_a_session_has_stopped(
    words: Words, word: Any, fate: str, fine: bool
) -> None:
    words.wire.always[f"/{word}"] = fate
    words.put("STOPPING" if word == "stop" else "BOOTING", "b")
    words.ask("b", word)
    words.say_all()
    words.ask("b", word)
    assert (words.lifecycle.next_moment() == float("inf")) == fine


def test_start_whose_answer_was_lost_is_not_sent_again(words: Words) -> None:
    words.wire.always["/start"] = "lost"
    words.ask(BOT, "start")
    words.say_all()
    words.wire.always.clear()
    for _ in range(3):
        words.clock.advance(4.0)
        words.ask(BOT, "start")
        words.say_all()
    assert words.status() == "RUNNING"
    assert words.found == [BOT]
    assert len(words.wire.sandbox.state.sessions.tables()["sessions"]) == 1


def test_start_is_waited_for_from_the_end_of_the_wait_for_its_answer(words: Words) -> None:
    write, words.wire.write = words.wire.write, words.late  # type: ignore[method-assign]
    words.ask(BOT, "start")
    words.say_all()
    words.wire.write = write  # type: ignore[method-assign]
    words.clock.advance(RESEND_AFTER - 1)
    words.ask(BOT, "start")
    words.say_all()
    assert words.status() == "BOOTING"
    words.clock.advance(1.0)
    words.say_all()
    assert words.status() == "RUNNING"


def test_start_that_was_not_answered_is_sent_again_only_after_a_while(words: Words) -> None:
    words.wire.always["/start"] = "503"
    words.ask(BOT, "start")
    words.say_all()
    words.wire.always.clear()
    words.clock.advance(RESEND_AFTER - 1)
    words.ask(BOT, "start")
    words.say_all()
    assert words.status() == "BOOTING"
    words.clock.advance(1.0)
    words.say_all()
    assert words.status() == "RUNNING"


def test_start_of_an_earlier_process_is_waited_for(words: Words) -> None:
    words.left = 7.0
    for passed in (0.0, 3.0, 3.0):
        words.clock.advance(passed)
        words.ask(BOT, "start")
        words.say_all()
        assert words.status() == "BOOTING"
    words.clock.advance(1.0)
    words.say_all()
    assert words.status() == "RUNNING"


def test_stop_waits_for_the_reports_of_its_bot_and_not_for_ever(words: Words) -> None:
    words.waiting.add("b")
    for _ in range(int(REPORTS_FIRST)):
        words.ask("b", "stop")
        words.say_all()
        assert words.status("b") == "STOPPING"
        words.clock.advance(1.0)
    words.ask("b", "stop")
    words.say_all()
    assert words.status("b") == "STOPPED"


def test_stop_waits_no_longer_for_reports_when_listings_are_far_apart(words: Words) -> None:
    words.waiting.add("b")
    for _ in range(int(REPORTS_FIRST / 12)):
        words.ask("b", "stop")
        words.say_all()
        assert words.status("b") == "STOPPING"
        words.clock.advance(12.0)
        words.say_all()
    words.ask("b", "stop")
    words.say_all()
    assert words.status("b") == "STOPPED"


def test_stop_that_is_asked_for_long_after_another_waits_for_its_own_reports(words: Words) -> None:
    words.waiting.add("b")
    words.ask("b", "stop")
    words.clock.advance(STOP_IS_OVER)
    words.say_all()
    words.ask("b", "stop")
    words.say_all()
    assert words.status("b") == "STOPPING"


def test_row_that_was_stopped_or_is_found_so_is_told_of(words: Words) -> None:
    words.ask("b", "stop")
    words.say_all()
    assert words.stopped == ["b"]
    words.put("STOPPED")
    words.ask(BOT, "start")
    words.say_all()
    assert words.stopped == ["b", BOT]
    assert words.status() == "STOPPED"
