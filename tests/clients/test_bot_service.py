"""The listing: each sentence of the contract about pages, repeated ids and bad rows."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import responses
from hypothesis import given
from hypothesis import strategies as st

from execsvc.clients.bot_service import BotService, Listing
from execsvc.clients.http import HttpClient
from execsvc.errors import Unavailable

URL = "http://bots"
Row = dict[str, Any]
Pages = Callable[[int | None, int | None], Any]


def row(bot_id: Any, **changes: Any) -> Row:
    return {
        "id": bot_id,
        "name": f"bot {bot_id}",
        "status": "RUNNING",
        "global_settings": {"exchange": "k", "symbol": "BTC/USDT", "mode": "LIVE"},
        "pipeline": {"strategy": {"id": "test_trading_v1", "params": {"allocation_ratio": 0.1}}},
        **changes,
    }


class Service:
    """Answers what a function of skip and limit gives, and counts."""

    def __init__(self, mock: responses.RequestsMock) -> None:
        self.pages: Pages = lambda skip, limit: []
        self.asked: list[dict[str, str]] = []
        mock.add_callback("GET", re.compile(rf"{URL}/bots\?"), self._answer)

    def _answer(self, request: Any) -> tuple[int, dict[str, str], str]:
        self.asked.append(request.params)
        skip, limit = request.params.get("skip"), request.params.get("limit")
        page = self.pages(
            None if skip is None else int(skip), None if limit is None else int(limit)
        )
        if isinstance(page, tuple):
            return page[0], {}, page[1]
        return 200, {}, page if isinstance(page, str) else json.dumps(page)


@pytest.fixture
def service() -> Iterator[Service]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield Service(mock)


def listing(page_size: int = 100) -> Listing:
    return BotService(HttpClient(URL, None, 5.0), page_size).listing()


def paged(rows: list[Any], cap: int = 10_000) -> Pages:
    return lambda skip, limit: rows[skip or 0 :][: min(limit or 100, cap)]


def test_one_page_and_an_empty_one(service: Service) -> None:
    service.pages = paged([row("a"), row("b")])
    assert list(listing().bots) == ["a", "b"]
    assert [(ask["status"], ask["skip"], ask["limit"]) for ask in service.asked] == [
        ("RUNNING", "0", "100"),
        ("RUNNING", "2", "100"),
    ]


def test_listing_without_bots_is_complete(service: Service) -> None:
    assert listing() == Listing(bots={}, invalid={}, nameless=[])
    assert len(service.asked) == 1


@pytest.mark.parametrize(("total", "size", "cap"), [(150, 100, 100), (150, 200, 100), (7, 3, 2)])
def test_all_pages_are_read_also_when_the_service_caps_them(
    service: Service, total: int, size: int, cap: int
) -> None:
    service.pages = paged([row(str(number)) for number in range(total)], cap)
    assert len(listing(size).bots) == total


def test_a_service_that_ignores_paging_is_complete_at_the_second_page(service: Service) -> None:
    service.pages = lambda skip, limit: [row(str(number)) for number in range(150)]
    assert len(listing().bots) == 150
    assert [ask["skip"] for ask in service.asked] == ["0", "150"]


def test_page_size_0_sends_no_paging_and_asks_once(service: Service) -> None:
    service.pages = lambda skip, limit: [row("a")]
    assert list(listing(0).bots) == ["a"]
    assert service.asked == [{"status": "RUNNING"}]


@pytest.mark.parametrize(
    ("total", "size", "cut"), [(99, 0, False), (100, 0, True), (101, 0, False), (100, 200, False)]
)
def test_listing_without_paging_may_be_cut_at_the_default_page(
    service: Service, total: int, size: int, cut: bool
) -> None:
    rows = [row(str(number)) for number in range(total)]
    service.pages = lambda skip, limit: rows[skip or 0 :]
    assert listing(size).may_be_cut == cut


def test_rows_that_move_between_pages_are_taken_once(service: Service) -> None:
    pages = [[row("a"), row("b")], [row("b"), row("c")], [row("c")]]
    service.pages = lambda skip, limit: pages[len(service.asked) - 1]
    assert list(listing(2).bots) == ["a", "b", "c"]
    assert [ask["skip"] for ask in service.asked] == ["0", "2", "4"]


def test_rows_of_another_status_are_dropped_but_count_for_skip(service: Service) -> None:
    others = ("STOPPED", "BOOTING", "STOPPING", "running", None, 7, " RUNNING")
    rows = [row(f"o{number}", status=status) for number, status in enumerate(others)]
    rows += [row("a")]
    service.pages = paged(rows, 3)
    found = listing()
    assert list(found.bots) == ["a"]
    assert found.invalid == {}
    assert [ask["skip"] for ask in service.asked] == ["0", "3", "6", "8"]


def test_the_first_valid_row_of_an_id_stands(service: Service) -> None:
    service.pages = paged([row("a", pipeline=7), row("a", name="one"), row("a", name="two")])
    found = listing()
    assert found.bots["a"].name == "one"
    assert found.invalid == {}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"global_settings": None}, "global_settings"),
        ({"pipeline": []}, "pipeline"),
        ({"global_settings": {"exchange": "k", "symbol": "BTCUSDT"}}, "symbol"),
        ({"global_settings": {"symbol": "A/B"}}, "key_id"),
        ({"global_settings": {"exchange": "k", "symbol": "A/B", "mode": "BACKTEST"}}, "mode"),
        ({"pipeline": {"strategy": {"id": "s", "params": []}}}, "params"),
        ({"pipeline": {"strategy": {"id": "s", "params": {"x": "\ud800"}}}}, "Unicode"),
    ],
)
def test_a_malformed_row_is_invalid_and_disturbs_no_other(
    service: Service, changes: Row, reason: str
) -> None:
    service.pages = paged([row("a"), row("bad", **changes), row("b")])
    found = listing()
    assert list(found.bots) == ["a", "b"]
    assert reason in found.invalid["bad"].reason
    assert found.invalid["bad"].name == row("bad")["name"]
    assert found.nameless == []


def test_rows_without_a_usable_id_are_counted_once_each(service: Service) -> None:
    bad: list[Any] = [None, 7, "x", [], row(None), row(5), row(""), row("a\nb"), row("x" * 201), {}]
    service.pages = paged([*bad, row("a")], 4)
    found = listing()
    assert list(found.bots) == ["a"]
    # The last one, {}, is not RUNNING and as such no bot of ours.
    assert len(found.nameless) == 9
    service.pages = lambda skip, limit: bad
    assert len(listing().nameless) == 9


def test_rows_without_an_id_that_are_equal_are_each_listed(service: Service) -> None:
    alike = [row(None, name="My bot")] * 5
    service.pages = paged([*alike, row("a"), row("", name="Empty")])
    told = [(invalid.name, invalid.reason) for invalid in listing().nameless]
    needed = "a string of 1 to 200 printable characters is needed"
    assert told == [("My bot", f"id is missing: {needed}")] * 5 + [("Empty", f'id is "": {needed}')]


def test_row_without_an_id_that_moves_to_the_next_page_is_listed_once(service: Service) -> None:
    pages = [[row(None), row("a")], [row(None), row("b")], [row("b")]]
    service.pages = lambda skip, limit: pages[len(service.asked) - 1]
    assert len(listing(2).nameless) == 1


def test_a_whole_page_without_ids_does_not_end_the_listing(service: Service) -> None:
    service.pages = paged([row(number) for number in range(4)] + [row("a")], 2)
    assert list(listing().bots) == ["a"]


@pytest.mark.parametrize(
    "page",
    [
        (500, '{"detail": "x"}'),
        (404, "[]"),
        (302, "[]"),
        "{}",
        "null",
        '"[]"',
        "",
        "[",
        '[{"id": "a"}',
        "[" * 100_000,
        "[NaN]",
    ],
)
@pytest.mark.parametrize("on_page", [1, 2])
def test_an_error_on_any_page_fails_the_listing(service: Service, page: Any, on_page: int) -> None:
    service.pages = lambda skip, limit: [row("a")] if (skip or 0) + 1 < on_page else page
    with pytest.raises(Unavailable, match="GET /bots: "):
        listing()


def test_a_listing_without_end_is_an_error(service: Service, monkeypatch: Any) -> None:
    monkeypatch.setattr("execsvc.clients.bot_service.MOST_PAGES", 20)
    service.pages = lambda skip, limit: [row(str(skip))]
    with pytest.raises(Unavailable, match="no end after 20 rows"):
        listing()
    monkeypatch.setattr("execsvc.clients.bot_service.MOST_ROWS", 10)
    with pytest.raises(Unavailable, match="no end after 11 rows"):
        listing()


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.lists(st.builds(row, st.text(max_size=3), params=JSON, pipeline=JSON | st.just({})) | JSON)
)
def test_listing_is_the_same_after_serialisation(rows: list[Any]) -> None:
    rows = [*rows, row("sound")]
    with responses.RequestsMock() as mock:
        service = Service(mock)
        service.pages = paged(rows)
        found = listing()
    assert "sound" in found.bots
    assert Listing.model_validate_json(found.model_dump_json()) == found


@given(JSON)
def test_params_are_the_same_after_serialisation(params: Any) -> None:
    wanted = {"strategy": {"id": "s", "params": {"p": params}}}
    with responses.RequestsMock() as mock:
        Service(mock).pages = paged([row("a", pipeline=wanted)])
        found = listing()
    again = Listing.model_validate_json(found.model_dump_json())
    assert again == found
