"""To which session an order is reported, and who is asked for it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from support.outboxes import AT, World
from support.told import Wire

from execsvc.clients.bot_reports import BotReports
from execsvc.clients.bot_sessions import BotSessions
from execsvc.clients.http import NotSent
from execsvc.clock import installed
from execsvc.errors import Unavailable
from execsvc.model.bot import file_stem
from execsvc.model.told import ToldOrder
from execsvc.reporting.attribution import LOOKING, Attribution, NotYet
from execsvc.reporting.names import Names
from execsvc.reporting.patience import Patience
from execsvc.reporting.rounds import LONGEST_DELAY, Rounds
from execsvc.store.sqlite.outbox import waiting
from execsvc.store.sqlite.outboxes import LedgerOutboxes
from execsvc.store.sqlite.paths import ledger_path
from execsvc.store.sqlite.starts import note_start


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


class Courier(World):
    """A world in which the marks of starts are written, too."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.asked = Asked()
        self.attribution = self.attributing(optional=False)

    def attributing(self, *, optional: bool) -> Attribution:
        made = Attribution(LedgerOutboxes(self.folder), BotSessions(self.asked), optional=optional)
        made.open(self.deliveries)
        return made

    def begin(self, *, booting: bool) -> None:
        note_start(self._ledger("b1"), booting=booting)

    def told(self, place: int) -> tuple[str, ToldOrder]:
        rows, _ = waiting(ledger_path(self.folder, "b1"), None, 1000)
        orders = [row for row in rows if row.mark.telling.value == "ORDER"]
        row = orders[place]
        return row.mark.order_id, ToldOrder.model_validate_json(row.body)

    def session(self, place: int) -> Any:
        order_id, told = self.told(place)
        return self.attribution.session(file_stem("b1"), told, order_id)


@pytest.fixture
def courier(tmp_path: Path) -> Iterator[Courier]:
    made = Courier(tmp_path)
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


def test_an_order_of_a_running_bot_is_not_of_the_start_after_it(courier: Courier) -> None:
    courier.begin(booting=False)
    courier.trade("b1")  # at 1 s
    courier.begin(booting=True)
    courier.trade("b1")  # at 2 s
    courier.attribution.begun("b1", "later")
    courier.asked.known = [lasting("later", 1.5, None), lasting("earlier", -9, 1.2)]
    assert (courier.session(0), courier.session(1)) == ("earlier", "later")
    assert (courier.session(0), courier.session(1)) == ("earlier", "later")


def test_what_an_older_service_left_is_not_of_the_next_start(courier: Courier) -> None:
    courier.trade("b1")
    courier.begin(booting=True)
    courier.attribution.begun("b1", "next")
    courier.asked.known = [lasting("next", 5, None), lasting("its", -9, 2)]
    assert courier.session(0) == "its"


def test_what_an_older_service_left_of_a_bot_that_runs_is_of_its_session(courier: Courier) -> None:
    courier.trade("b1")
    courier.begin(booting=False)
    courier.asked.known = [lasting("its", -9, None)]
    assert courier.session(0) == "its"


def test_a_sale_after_the_end_of_its_session_opens_no_other(courier: Courier) -> None:
    courier.begin(booting=False)
    courier.trade("b1")
    courier.asked.known = [lasting("its", -9, 0.5), lasting("older", -99, -50)]
    assert courier.session(0) == "its"


def test_a_sale_after_the_end_of_its_session_is_not_of_the_next(courier: Courier) -> None:
    courier.begin(booting=False)
    courier.trade("b1")
    courier.asked.known = [lasting("next", 5, None), lasting("its", -9, 0.5)]
    assert courier.session(0) == "its"


def test_start_that_was_never_told_is_of_no_earlier_session(courier: Courier) -> None:
    courier.begin(booting=True)
    courier.trade("b1")
    courier.asked.known = [lasting("older", -99, -50)]
    with pytest.raises(NotYet):
        courier.session(0)
    courier.attribution.ending("b1", True)
    assert courier.session(0) is None


def test_starts_that_crashed_before_it_was_told_are_of_one_session(courier: Courier) -> None:
    for booting in (True, True, False):
        courier.begin(booting=booting)
        courier.trade("b1")
    courier.attribution.begun("b1", "one")
    assert [courier.session(place) for place in range(3)] == ["one"] * 3


def test_service_that_knows_the_listing_alone_is_asked_for_nothing_else(courier: Courier) -> None:
    courier.trade("b1")
    courier.asked.always["/orders"] = "404"
    for _ in range(3):  # starts of the service
        rounds = Rounds(
            LedgerOutboxes(courier.folder),
            BotReports(courier.asked),
            courier.deliveries,
            courier.attributing(optional=True),
            Patience(LONGEST_DELAY, lambda: 0.0),
            Names(file_stem),
            optional=True,
        )
        rounds.sweep()
        while rounds.step():
            pass
        assert rounds.off
    assert courier.asked.calls == ["POST /orders"] * 3


def test_service_that_is_away_is_no_reason_to_do_without_a_session(courier: Courier) -> None:
    courier.begin(booting=False)
    courier.trade("b1")
    courier.asked.fault = NotSent("cannot connect")
    for _ in range(3):
        courier.clock.advance(LOOKING)
        with pytest.raises(NotSent):
            courier.session(0)
    courier.asked.fault = Unavailable("HTTP 500")
    with pytest.raises(Unavailable):
        courier.session(0)
    courier.clock.advance(LOOKING)
    assert courier.session(0) is None


def test_a_bot_held_over_a_restart_goes_on_in_its_session_whatever_fails(courier: Courier) -> None:
    courier.begin(booting=True)
    courier.attribution.begun("b1", "its")
    for _ in range(2):
        courier.begin(booting=False)
    courier.trade("b1")
    courier.asked.fault = Unavailable("HTTP 500")
    with pytest.raises(Unavailable):
        courier.session(0)
    courier.clock.advance(LOOKING)
    assert courier.session(0) == "its"
    courier.trade("b1")
    assert courier.session(1) == "its"
    courier.asked.fault, courier.asked.known = None, [lasting("active", -9, None)]
    assert courier.session(1) == "active"


def test_start_of_a_user_is_not_of_the_session_before_it(courier: Courier) -> None:
    courier.begin(booting=False)
    courier.attribution.begun("b1", "earlier")
    for booting in (True, False):
        courier.begin(booting=booting)
    courier.trade("b1")
    courier.attribution.booting([])
    courier.asked.fault = Unavailable("HTTP 500")
    with pytest.raises(Unavailable):
        courier.session(0)
    courier.clock.advance(LOOKING)
    assert courier.session(0) is None


def test_sale_at_the_end_finds_its_session_as_long_as_the_stop_waits(courier: Courier) -> None:
    courier.begin(booting=False)
    courier.trade("b1")
    courier.asked.fault = Unavailable("HTTP 500")
    courier.attribution.ending("b1", True)
    for _ in range(3):
        with pytest.raises(Unavailable):
            courier.session(0)
        courier.clock.advance(LOOKING)
    courier.attribution.ending("b1", False)  # BotService was told, and named no session
    with pytest.raises(Unavailable):
        courier.session(0)
    courier.asked.fault, courier.asked.known = None, [lasting("its", -9, 2)]
    assert courier.session(0) == "its"


def test_sale_after_the_stop_is_of_the_session_that_an_order_without_one_has_opened(
    courier: Courier,
) -> None:
    courier.begin(booting=False)
    courier.trade("b1")
    courier.asked.known = []
    assert courier.session(0) is None, "BotService opens one for it"
    courier.trade("b1")
    courier.attribution.ended("b1", "opened")
    assert courier.session(1) == "opened"


@pytest.mark.parametrize("odd", [None, 5, {}, {"id": "x", "symbol": "BTC/USDT", "side": "BUY"}])
def test_an_odd_order_does_not_hide_ours(courier: Courier, odd: Any) -> None:
    courier.trade("b1")
    told = courier.told(0)[1]
    ours = {**told.model_dump(mode="json"), "id": "x"}
    courier.asked.known = {"orders": [odd, ours]}
    assert BotSessions(courier.asked).find("s", told) == "x"


def test_a_bot_without_a_session_makes_no_service_of_use(courier: Courier) -> None:
    courier.deliveries.keep_session("b", "", "null")
    assert not courier.deliveries.is_of_use()
    courier.deliveries.keep_session("b", "", "5")
    assert courier.deliveries.is_of_use()
