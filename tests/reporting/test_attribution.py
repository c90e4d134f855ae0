"""To which session an order is reported, and who is asked for it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from support.bot_service_wire import Wire
from support.outboxes import AT, World
from support.store_files import file_stem
from support.stores import store_in, waiting

from execsvc.clients.bot_reports import BotReports
from execsvc.clients.bot_sessions import BotSessions
from execsvc.clients.http import NotSent
from execsvc.clock import installed
from execsvc.errors import Unavailable
from execsvc.model.order_report import OrderReport
from execsvc.reporting.attribution import LOOK_UP_TIME, Attribution, NotYet
from execsvc.reporting.backoff import Backoff
from execsvc.reporting.names import BotNames
from execsvc.reporting.outbox_sender import LONGEST_DELAY, OutboxSender


class Asked(Wire):
    """Notes every call, and answers sessions as it was told to; without any: it knows none."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []
        self.known: Any = None
        self.fault: Unavailable | None = None

    def get(self, call: str, path: str, params: Any) -> Any:
        self.calls.append(call)
        if self.fault is not None:
            raise self.fault
        if self.known is None:
            return super().get(call, path, params)
        return self.known

    def write(self, call: str, method: str, path: str, body: str, key: str | None) -> Any:
        self.calls.append(call)
        return super().write(call, method, path, body, key)


class Worker(World):
    """A world in which the marks of starts are written, too."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.asked = Asked()
        self.attribution = self.attributing(optional=False)

    def attributing(self, *, optional: bool) -> Attribution:
        made = Attribution(
            store_in(self.folder).outboxes(), BotSessions(self.asked), optional=optional
        )
        made.open(self.deliveries)
        return made

    def begin(self, *, booting: bool) -> None:
        self._ledger("b1").note_start(booting=booting)

    def told(self, place: int) -> tuple[str, OrderReport]:
        rows = waiting(self.folder, "b1")
        orders = [row for row in rows if row.mark.kind.value == "ORDER"]
        row = orders[place]
        return row.mark.order_id, OrderReport.model_validate_json(row.body)

    def session(self, place: int) -> Any:
        order_id, told = self.told(place)
        return self.attribution.session(file_stem("b1"), told, order_id)


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    made = Worker(tmp_path)
    with installed(made.clock):
        yield made
    made.close()


def lasting(name: str, began: float, ended: float | None) -> dict[str, Any]:
    """A session, from and to so many seconds after the beginning."""
    end = None if ended is None else _at(ended)
    status = "ACTIVE" if ended is None else "ENDED"
    return {"id": name, "status": status, "start_time": _at(began), "end_time": end}


def _at(seconds: float) -> str:
    moment: datetime = AT + timedelta(seconds=seconds)
    return moment.astimezone(timezone.utc).replace(tzinfo=None).isoformat()


def test_an_order_of_a_running_bot_is_not_of_the_start_after_it(worker: Worker) -> None:
    worker.begin(booting=False)
    worker.trade("b1")  # at 1 s
    worker.begin(booting=True)
    worker.trade("b1")  # at 2 s
    worker.attribution.begun("b1", "later")
    worker.asked.known = [lasting("later", 1.5, None), lasting("earlier", -9, 1.2)]
    assert (worker.session(0), worker.session(1)) == ("earlier", "later")
    assert (worker.session(0), worker.session(1)) == ("earlier", "later")


def test_what_an_older_service_left_is_not_of_the_next_start(worker: Worker) -> None:
    worker.trade("b1")
    worker.begin(booting=True)
    worker.attribution.begun("b1", "next")
    worker.asked.known = [lasting("next", 5, None), lasting("its", -9, 2)]
    assert worker.session(0) == "its"


def test_what_an_older_service_left_of_a_bot_that_runs_is_of_its_session(worker: Worker) -> None:
    worker.trade("b1")
    worker.begin(booting=False)
    worker.asked.known = [lasting("its", -9, None)]
    assert worker.session(0) == "its"


def test_a_sale_after_the_end_of_its_session_opens_no_other(worker: Worker) -> None:
    worker.begin(booting=False)
    worker.trade("b1")
    worker.asked.known = [lasting("its", -9, 0.5), lasting("older", -99, -50)]
    assert worker.session(0) == "its"


def test_a_sale_after_the_end_of_its_session_is_not_of_the_next(worker: Worker) -> None:
    worker.begin(booting=False)
    worker.trade("b1")
    worker.asked.known = [lasting("next", 5, None), lasting("its", -9, 0.5)]
    assert worker.session(0) == "its"


def test_start_that_was_never_told_is_of_no_earlier_session(worker: Worker) -> None:
    worker.begin(booting=True)
    worker.trade("b1")
    worker.asked.known = [lasting("older", -99, -50)]
    with pytest.raises(NotYet):
        worker.session(0)
    worker.attribution.ending("b1", True)
    assert worker.session(0) is None


def test_starts_that_crashed_before_it_was_told_are_of_one_session(worker: Worker) -> None:
    for booting in (True, True, False):
        worker.begin(booting=booting)
        worker.trade("b1")
    worker.attribution.begun("b1", "one")
    assert [worker.session(place) for place in range(3)] == ["one"] * 3


def test_service_that_knows_the_listing_alone_is_asked_for_nothing_else(worker: Worker) -> None:
    worker.trade("b1")
    worker.asked.always["/orders"] = "404"
    for _ in range(3):  # starts of the service
        sender = OutboxSender(
            store_in(worker.folder).outboxes(),
            BotReports(worker.asked),
            worker.deliveries,
            worker.attributing(optional=True),
            Backoff(LONGEST_DELAY, lambda: 0.0),
            BotNames(file_stem),
            optional=True,
        )
        sender.sweep()
        while sender.step():
            pass
        assert sender.off
    assert worker.asked.calls == ["POST /orders"] * 3


def test_service_that_is_away_is_no_reason_to_do_without_a_session(worker: Worker) -> None:
    worker.begin(booting=False)
    worker.trade("b1")
    worker.asked.fault = NotSent("cannot connect")
    for _ in range(3):
        worker.clock.advance(LOOK_UP_TIME)
        with pytest.raises(NotSent):
            worker.session(0)
    worker.asked.fault = Unavailable("HTTP 500")
    with pytest.raises(Unavailable):
        worker.session(0)
    worker.clock.advance(LOOK_UP_TIME)
    assert worker.session(0) is None


def test_a_bot_held_over_a_restart_goes_on_in_its_session_whatever_fails(worker: Worker) -> None:
    worker.begin(booting=True)
    worker.attribution.begun("b1", "its")
    for _ in range(2):
        worker.begin(booting=False)
    worker.trade("b1")
    worker.asked.fault = Unavailable("HTTP 500")
    with pytest.raises(Unavailable):
        worker.session(0)
    worker.clock.advance(LOOK_UP_TIME)
    assert worker.session(0) == "its"
    worker.trade("b1")
    assert worker.session(1) == "its"
    worker.asked.fault, worker.asked.known = None, [lasting("active", -9, None)]
    assert worker.session(1) == "active"


def test_start_of_a_user_is_not_of_the_session_before_it(worker: Worker) -> None:
    worker.begin(booting=False)
    worker.attribution.begun("b1", "earlier")
    for booting in (True, False):
        worker.begin(booting=booting)
    worker.trade("b1")
    worker.attribution.booting([])
    worker.asked.fault = Unavailable("HTTP 500")
    with pytest.raises(Unavailable):
        worker.session(0)
    worker.clock.advance(LOOK_UP_TIME)
    assert worker.session(0) is None


def test_sale_at_the_end_finds_its_session_as_long_as_the_stop_waits(worker: Worker) -> None:
    worker.begin(booting=False)
    worker.trade("b1")
    worker.asked.fault = Unavailable("HTTP 500")
    worker.attribution.ending("b1", True)
    for _ in range(3):
        with pytest.raises(Unavailable):
            worker.session(0)
        worker.clock.advance(LOOK_UP_TIME)
    worker.attribution.ending("b1", False)  # BotService was told, and named no session
    with pytest.raises(Unavailable):
        worker.session(0)
    worker.asked.fault, worker.asked.known = None, [lasting("its", -9, 2)]
    assert worker.session(0) == "its"


def test_sale_after_the_stop_is_of_the_session_that_an_order_without_one_has_opened(
    worker: Worker,
) -> None:
    worker.begin(booting=False)
    worker.trade("b1")
    worker.asked.known = []
    assert worker.session(0) is None, "BotService opens one for it"
    worker.trade("b1")
    worker.attribution.ended("b1", "opened")
    assert worker.session(1) == "opened"


@pytest.mark.parametrize("odd", [None, 5, {}, {"id": "x", "symbol": "BTC/USDT", "side": "BUY"}])
def test_an_odd_order_does_not_hide_ours(worker: Worker, odd: Any) -> None:
    worker.trade("b1")
    told = worker.told(0)[1]
    ours = {**told.model_dump(mode="json"), "id": "x"}
    worker.asked.known = {"orders": [odd, ours]}
    assert BotSessions(worker.asked).find("s", told) == "x"


def test_a_bot_without_a_session_makes_no_service_of_use(worker: Worker) -> None:
    worker.deliveries.keep_session("b", "", "null")
    assert not worker.deliveries.is_of_use()
    worker.deliveries.keep_session("b", "", "5")
    assert worker.deliveries.is_of_use()
