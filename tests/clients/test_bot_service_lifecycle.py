"""The listing of three statuses: bots move between them while they are asked for."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import responses

from execsvc.clients.bot_service import BotService, Listing
from execsvc.clients.http import HttpClient
from execsvc.errors import Unavailable

URL = "http://bots"
Row = dict[str, Any]


def row(bot_id: Any, status: str, **changes: Any) -> Row:
    return {
        "id": bot_id,
        "name": f"{status} row",
        "status": status,
        "global_settings": {"exchange": "k", "symbol": "BTC/USDT"},
        "pipeline": {"strategy": {"id": "s", "params": {}}},
        **changes,
    }


class Service:
    """Lists its rows by status; ``before`` is called with each request, and may move them."""

    def __init__(self, mock: responses.RequestsMock) -> None:
        self.rows: list[Any] = []
        self.before: Callable[[str, int], None] = lambda status, skip: None
        self.failing = ""
        self.filters = True
        self.asked: list[str] = []
        mock.add_callback("GET", re.compile(rf"{URL}/bots\?"), self._answer)

    def _answer(self, request: Any) -> tuple[int, dict[str, str], str]:
        status, skip = request.params["status"], int(request.params.get("skip", 0))
        self.asked.append(status)
        self.before(status, skip)
        if status == self.failing:
            return 500, {}, "{}"
        rows = [r for r in self.rows if not self.filters or _status(r) in (status, None)]
        limit = int(request.params.get("limit", 100))
        return 200, {}, json.dumps(rows[skip : skip + limit])


def _status(row: Any) -> Any:
    return row.get("status") if isinstance(row, dict) else None


@pytest.fixture
def service() -> Iterator[Service]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield Service(mock)


def listing(page_size: int = 100) -> Listing:
    return BotService(HttpClient(URL, None, 5.0), page_size, lifecycle=True).listing()


@pytest.mark.parametrize("filters", [True, False], ids=["filters", "gives all"])
@pytest.mark.parametrize("page_size", [0, 2, 100])
def test_listing_with_lifecycle_has_the_bots_of_each_status(
    service: Service, filters: bool, page_size: int
) -> None:
    service.filters = filters
    service.rows = [
        row("boots", "BOOTING"),
        row("runs", "RUNNING"),
        row("stops", "STOPPING"),
        row("off", "STOPPED"),
        row("broken", "ERROR"),
    ]
    found = listing(page_size)
    assert sorted(found.bots) == ["boots", "runs"]
    assert (found.booting, found.stopping) == (("boots",), ("stops",))
    assert found.invalid == {}
    assert list(dict.fromkeys(service.asked)) == ["BOOTING", "RUNNING", "STOPPING"]
    assert Listing.model_validate_json(found.model_dump_json()) == found


def test_listing_without_lifecycle_asks_for_one_status(service: Service) -> None:
    service.rows = [row("boots", "BOOTING"), row("runs", "RUNNING"), row("stops", "STOPPING")]
    found = BotService(HttpClient(URL, None, 5.0), 100).listing()
    assert (list(found.bots), found.booting, found.stopping) == (["runs"], (), ())
    assert set(service.asked) == {"RUNNING"}


@pytest.mark.parametrize("failing", ["BOOTING", "RUNNING", "STOPPING"])
def test_one_status_that_fails_fails_the_listing(service: Service, failing: str) -> None:
    service.rows = [row("runs", "RUNNING")]
    service.failing = failing
    with pytest.raises(Unavailable):
        listing()


@pytest.mark.parametrize("at", ["BOOTING", "RUNNING", "STOPPING"])
@pytest.mark.parametrize(
    ("before", "after"), [("BOOTING", "RUNNING"), ("RUNNING", "STOPPING"), ("BOOTING", "STOPPING")]
)
def test_bot_whose_status_changes_between_two_requests_is_listed(
    service: Service, before: str, after: str, at: str
) -> None:
    service.rows = [row("a", before)]

    def move(status: str, skip: int) -> None:
        if status == at:
            service.rows = [row("a", after)]

    service.before = move
    found = listing()
    assert len([*found.bots, *found.stopping]) == 1
    assert ("a" in found.booting) == ("a" in found.bots and found.bots["a"].name == "BOOTING row")


def test_later_status_of_a_bot_counts(service: Service) -> None:
    service.filters = False

    def change(status: str, skip: int) -> None:
        service.rows = [row("a", status), row("b", "RUNNING" if status == "BOOTING" else status)]

    service.before = change
    assert listing() == Listing(bots={}, invalid={}, nameless=[], stopping=("a", "b"))


def test_malformed_row_that_is_stopping_is_stopping(service: Service) -> None:
    service.rows = [row("a", "STOPPING", pipeline=None), row("b", "BOOTING", pipeline=None)]
    found = listing()
    assert found.stopping == ("a",)
    assert found.booting == ("b",)
    assert list(found.invalid) == ["b"]


def test_row_without_an_id_is_listed_once(service: Service) -> None:
    service.rows = ["no row", row(7, "RUNNING"), row(8, "BOOTING"), row(9, "STOPPING")]
    assert len(listing().nameless) == 3
