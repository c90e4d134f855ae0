"""A report to BotService that is not true any more is withdrawn, whatever the row says."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, cast

import pytest
from loguru import logger
from support.bot_process import bot_row
from support.facts import changed

from execsvc.clients.bot_service import Listing
from execsvc.model.bot import InvalidRow, parse_row
from execsvc.settings import Switch
from execsvc.supervisor.bots.bot import Bot
from execsvc.supervisor.bots.bot_records import Hold
from execsvc.supervisor.bots.facts import GivenBack
from execsvc.supervisor.bots.foreign import PATIENCE
from execsvc.supervisor.bots.next_step import Listed
from execsvc.supervisor.bots.states import State
from execsvc.supervisor.report_requests import ReportRequests


class Child:
    """Takes what it is asked."""

    gone = False

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def request(self, line: bytes) -> bool:
        self.asked.append(json.loads(line))
        return True

    def reports(self) -> list[str | None]:
        return [asked.get("report") for asked in self.asked if "bot_id" in asked]


class Reporting:
    """The supervisor's end of the reporting with one bot, and what its child was asked."""

    runs_elsewhere = False

    def __init__(self, bot: Bot) -> None:
        self.context: Any = SimpleNamespace(
            bots={"b1": bot},
            news=set(),
            halted=False,
            clock=SimpleNamespace(now=1.0),
            halt=SimpleNamespace(current=None),
            settings=SimpleNamespace(report_ledger=Switch.AUTO, bot_lifecycle=Switch.ON),
            accounts=SimpleNamespace(
                may_be_run_elsewhere=lambda *_: self.runs_elsewhere,
                held_elsewhere=lambda ids: set(ids) if self.runs_elsewhere else set(),
            ),
        )
        self.child = Child()
        self.reporting = ReportRequests(
            self.context,
            self.context,
            self.context,
            cast(Any, self),
            cast(Any, None),
            lambda *_: None,
        )
        self.reporting.channel = self.child  # type: ignore[assignment]

    def apply(self, bot_id: str, fact: GivenBack) -> None:
        """Take the place of the bots: the supervisor says that this one is given back."""
        self.bot_becomes(given_back=fact.why)

    def bot_becomes(self, **changes: Any) -> None:
        """The bot has these facts from now on."""
        self.context.bots["b1"] = changed(self.context.bots["b1"], **changes)

    def list(self, *ids: str, **members: Any) -> None:
        """Take a listing, and tell what follows from it."""
        listing = Listing.model_construct(bots=dict.fromkeys(ids), **{"invalid": {}, **members})
        self.reporting.listed(listing, listing)
        self.reporting.pass_on()
        self.reporting.pass_on()


def bot_in(state: State, listed: Listed = Listed.VALID, *, foreign: bool = False) -> Bot:
    hold = Hold(State.FAILED, "no", foreign=foreign) if state is State.FAILED else None
    row = parse_row(bot_row()) if foreign else None
    return changed(Bot("b1"), state=state, listed=listed, current=True, hold=hold, row=row)


@pytest.mark.parametrize("status", ["BOOTING", "RUNNING"])
def test_stop_of_a_bot_that_is_let_go_on(status: str) -> None:
    side = Reporting(changed(bot_in(State.FAILED), invalid_name="My bot"))
    side.list("b1", booting=("b1",) if status == "BOOTING" else ())
    assert side.child.reports() == ["stop"]
    (said,) = (asked for asked in side.child.asked if "report" in asked)
    assert said["name"] == "My bot"
    side.bot_becomes(hold=None, state=State.BOOTING)  # an operator releases it
    side.reporting.pass_on()
    side.reporting.pass_on()
    assert side.child.reports() == ["stop", None]


def test_running_row_that_cannot_be_used_any_more_is_given_back_once_its_bot_is_held() -> None:
    bot = bot_in(State.HELD, Listed.INVALID)
    held = Hold(State.HELD, "ended by hand")
    side = Reporting(changed(bot, hold=held, row_error="its symbol is no symbol"))
    side.list(invalid={"b1": InvalidRow(name="", reason="no")})
    assert side.child.reports() == ["stop"]
    side.bot_becomes(hold=None, state=State.INVALID)
    side.list(invalid={"b1": InvalidRow(name="", reason="no")})
    assert side.child.reports() == ["stop", None], "its user may mend the row"


def test_stop_is_not_taken_back_while_the_query_for_its_row_fails() -> None:
    side = Reporting(bot_in(State.STOPPED, Listed.GONE))
    side.list(stopping=("b1",))
    side.list(unanswered=("STOPPING",))
    assert side.child.reports() == ["stop", "stop"]
    side.list()
    assert side.child.reports() == ["stop", "stop", None]


def test_row_that_has_another_status_waits_no_more_while_its_query_fails() -> None:
    side = Reporting(bot_in(State.STOPPED, Listed.GONE))
    side.list(stopping=("b1",))
    side.list("b1", unanswered=("STOPPING",))
    assert side.child.reports() == ["stop", None]


def test_row_that_is_stopped_waits_no_more_while_its_query_fails() -> None:
    side = Reporting(bot_in(State.STOPPED, Listed.GONE))
    side.list(stopping=("b1",))
    side.reporting._receive(b'{"stopped": "b1", "stopped_at": 2.0}')
    side.list(unanswered=("STOPPING",))
    assert side.child.reports() == ["stop"]


def test_row_that_no_other_service_runs_is_given_back_after_a_minute() -> None:
    side = Reporting(bot_in(State.FAILED, foreign=True))
    for passed in (0.0, PATIENCE - 1):
        side.context.clock.now = 1.0 + passed
        side.list("b1", booting=("b1",))
    assert side.child.reports() == []
    side.context.clock.now = 1.0 + PATIENCE
    side.list("b1")
    side.list("b1", booting=("b1",))
    assert side.child.reports() == [], "it was RUNNING in between: a user had started it"
    side.context.clock.now += PATIENCE
    side.list("b1", booting=("b1",))
    assert side.child.reports() == ["stop"]


@pytest.mark.says("bot_word_failed")
def test_row_that_another_service_may_run_stays_and_that_is_said_once() -> None:
    heard: list[str] = []
    sink = logger.add(heard.append, format="{message}")
    side = Reporting(bot_in(State.FAILED, foreign=True))
    side.runs_elsewhere = True
    for _ in range(3):
        side.list("b1", booting=("b1",))
        side.context.clock.now += PATIENCE
    logger.remove(sink)
    assert side.child.reports() == []
    assert [line for line in heard if "stays BOOTING" in line] == heard
    assert len(heard) == 1


def test_stop_of_a_bot_that_another_service_holds_waits_until_it_is_flat_there() -> None:
    side = Reporting(bot_in(State.STOPPED, Listed.GONE))
    side.runs_elsewhere = True
    side.list(stopping=("b1",))
    assert side.child.reports() == []
    side.runs_elsewhere = False
    side.list(stopping=("b1",))
    assert side.child.reports() == ["stop"]


def test_running_row_of_a_bot_that_another_service_trades_is_never_given_back() -> None:
    side = Reporting(bot_in(State.FAILED, foreign=True))
    for _ in range(3):
        side.list("b1")
        side.context.clock.now += PATIENCE
    assert side.child.reports() == []
