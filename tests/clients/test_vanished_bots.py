"""Bots that vanish from the RUNNING ones while the query for BOOTING rows fails: their rows are asked for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import responses

from execsvc.clients.bot_service import BotService, Listing
from execsvc.clients.http import HttpClient
from execsvc.clients.vanished_bots import MOST

URL = "http://bots"


class Service:
    """Bots by id, each with its status; its query for BOOTING rows may fail, and single rows."""

    def __init__(self, mock: responses.RequestsMock) -> None:
        self.bots = {"a": "RUNNING", "other": "BOOTING"}
        self.failing: int | None = None
        self.row_fails: int | None = None
        self.broken = ""
        """The one bot whose row cannot be had."""
        self.asked: list[str] = []
        mock.add_callback("GET", re.compile(rf"{URL}/bots\?"), self._listing)
        mock.add_callback("GET", re.compile(rf"{URL}/bots/"), self._one)
        http = HttpClient(URL, None, 5.0)
        self._service = BotService(http, 0, lifecycle=True, optional=5.0)

    def list(self) -> Listing:
        self._service._paused_until.clear()  # the query that failed is tried again at once
        return self._service.listing()

    def _row(self, bot_id: str) -> dict[str, Any]:
        return {
            "id": bot_id,
            "name": "n",
            "status": self.bots[bot_id],
            "global_settings": {"exchange": "k", "symbol": "BTC/USDT"},
            "pipeline": {"strategy": {"id": "s", "params": {}}},
        }

    def _listing(self, request: Any) -> tuple[int, dict[str, str], str]:
        status = request.params["status"]
        if status == "BOOTING" and self.failing is not None:
            return self.failing, {}, "{}"
        found = [self._row(key) for key, value in self.bots.items() if value == status]
        return 200, {}, json.dumps(found)

    def _one(self, request: Any) -> tuple[int, dict[str, str], str]:
        bot_id = request.path_url.split("/")[-1]
        self.asked.append(bot_id)
        if self.row_fails is not None or bot_id == self.broken:
            return self.row_fails or 500, {}, "{}"
        if bot_id not in self.bots:
            return 404, {}, "{}"
        return 200, {}, json.dumps(self._row(bot_id))


@pytest.fixture
def service() -> Iterator[Service]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield Service(mock)


@pytest.mark.parametrize("failing", [500, 422])
def test_row_that_is_booting_again_is_listed(service: Service, failing: int) -> None:
    service.list()
    service.bots["a"], service.failing = "BOOTING", failing
    found = service.list()
    assert (list(found.bots), found.booting, found.ended) == (["a"], ("a",), ())
    assert found.unanswered == ("BOOTING",)


@pytest.mark.parametrize("status", ["STOPPED", None], ids=["stopped", "deleted"])
def test_row_that_is_not_to_run_has_ended_at_each_listing(
    service: Service, status: str | None
) -> None:
    service.list()
    service.failing = 500
    if status is None:
        del service.bots["a"]
    else:
        service.bots["a"] = status
    for _ in range(2):
        found = service.list()
        assert (dict(found.bots), found.ended) == ({}, ("a",))
    assert service.asked == ["a"]
    service.bots["a"] = "RUNNING"
    assert service.list().ended == ()


def test_unavailable_row_is_asked_for_again(service: Service) -> None:
    service.list()
    service.bots["a"], service.failing, service.row_fails = "STOPPED", 500, 400
    assert service.list().ended == ()
    service.row_fails = None
    assert service.list().ended == ("a",)


def test_unavailable_row_hides_no_other(service: Service) -> None:
    service.bots["z"] = "RUNNING"
    service.list()
    service.bots |= {"a": "STOPPED", "z": "STOPPED"}
    service.failing, service.broken = 500, "a"
    assert service.list().ended == ("z",)


def test_rows_of_many_vanished_bots_are_not_asked_for(service: Service) -> None:
    names = [f"b{n}" for n in range(MOST + 1)]
    service.bots |= dict.fromkeys(names, "RUNNING")
    service.list()
    service.bots |= dict.fromkeys(names, "STOPPED")
    service.failing = 500
    assert service.list().ended == ()
    assert service.asked == []


def test_service_that_never_had_such_rows_is_not_asked_for_one(service: Service) -> None:
    del service.bots["other"]
    service.list()
    service.bots["a"], service.failing = "STOPPED", 500
    assert service.list().ended == ()
    assert service.asked == []
