from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
import requests
from support.sandbox_calls import get, put

from execsvc.cli.demo import demo_bots
from execsvc.model.bot import parse_row
from execsvc.sandbox.server import Sandbox


def rows(count: int, status: str = "RUNNING") -> list[dict[str, Any]]:
    return [{"id": f"bot-{number}", "status": status} for number in range(count)]


def page(sandbox: Sandbox, **query: Any) -> list[Any]:
    listed: list[Any] = get(sandbox, "/bots", **query)
    return listed


def ids(listed: list[Any]) -> list[str]:
    return [row["id"] for row in listed]


def test_listing_pages_hold_each_row_once(sandbox: Sandbox) -> None:
    put(sandbox, "/sandbox/bots", rows(150))
    assert len(page(sandbox)) == 100
    assert ids(page(sandbox, skip=100)) == [f"bot-{number}" for number in range(100, 150)]
    assert len(page(sandbox, limit=200)) == 150
    assert page(sandbox, skip=150) == []


def test_listing_has_the_status_that_was_asked_for(sandbox: Sandbox) -> None:
    put(sandbox, "/sandbox/bots", [*rows(2), {"id": "off", "status": "STOPPED"}, "malformed"])
    assert page(sandbox, status="RUNNING") == [*rows(2), "malformed"]
    assert len(page(sandbox)) == 4
    put(sandbox, "/sandbox/listing", {"ignore_status": True})
    assert len(page(sandbox, status="RUNNING")) == 4


def test_a_service_can_cap_its_pages(sandbox: Sandbox) -> None:
    put(sandbox, "/sandbox/bots", rows(10))
    put(sandbox, "/sandbox/listing", {"cap": 3})
    assert ids(page(sandbox, skip=2, limit=200)) == ["bot-2", "bot-3", "bot-4"]


def test_a_service_can_ignore_paging(sandbox: Sandbox) -> None:
    put(sandbox, "/sandbox/bots", rows(10))
    put(sandbox, "/sandbox/listing", {"ignore_paging": True})
    assert len(page(sandbox, skip=8, limit=1)) == 10


def test_rows_can_move_between_pages(sandbox: Sandbox) -> None:
    put(sandbox, "/sandbox/bots", rows(50))
    put(sandbox, "/sandbox/listing", {"shuffle": True})
    first, again = page(sandbox), page(sandbox)
    assert ids(first) != ids(again)
    assert sorted(ids(first)) == sorted(ids(again))


def test_rows_can_be_repeated(sandbox: Sandbox) -> None:
    put(sandbox, "/sandbox/bots", rows(3))
    put(sandbox, "/sandbox/listing", {"repeat": 2})
    assert ids(page(sandbox)) == ["bot-0", "bot-1", "bot-2", "bot-0", "bot-1"]


@pytest.mark.parametrize("body", ["<html>", "[{", {"bots": []}, [1, None]])
def test_listing_body_replaced_is_answered_as_given(sandbox: Sandbox, body: Any) -> None:
    put(sandbox, "/sandbox/listing", {"body": body, "status": 203})
    answer = requests.get(f"{sandbox.url}/bots", timeout=60)
    assert answer.status_code == 203
    assert (answer.text if isinstance(body, str) else answer.json()) == body


def test_bot_rows_are_added_changed_and_removed(sandbox: Sandbox) -> None:
    url = f"{sandbox.url}/bots"
    added = requests.post(url, json={"name": "new"}, timeout=60)
    assert added.status_code == 201
    row = added.json()
    assert row["status"] == "STOPPED"
    own = f"{url}/{row['id']}"
    assert requests.post(f"{own}/start", timeout=60).json()["status"] == "ACTIVE"
    assert ids(page(sandbox, status="RUNNING")) == [row["id"]]
    sent = {"name": "other", "status": "RUNNING"}
    assert requests.put(own, json=sent, timeout=60).json()["name"] == "other"
    assert requests.post(f"{own}/stop", timeout=60).json()["status"] == "ENDED"
    found = requests.get(own, timeout=60).json()
    assert (found["name"], found["status"]) == ("other", "STOPPED")
    assert requests.delete(own, timeout=60).status_code == 200
    for answer in (requests.get(own, timeout=60), requests.post(f"{own}/start", timeout=10)):
        assert answer.status_code == 404


def test_bot_id_of_any_script_is_found(sandbox: Sandbox) -> None:
    bot_id = "a/b ../ü?#%"
    put(sandbox, "/sandbox/bots", [{"id": bot_id, "status": "STOPPED"}])
    url = f"{sandbox.url}/bots/{quote(bot_id, safe='')}"
    assert requests.post(f"{url}/start", timeout=60).json()["bot_id"] == bot_id
    assert requests.get(url, timeout=60).json()["status"] == "RUNNING"
    assert len(requests.get(f"{url}/sessions", timeout=60).json()) == 1


def test_the_demo_bots_are_usable() -> None:
    bots = [parse_row(row) for row in demo_bots()]
    assert len({bot.bot_id for bot in bots}) == 3
    assert sorted(bot.binding.mode.value for bot in bots) == ["LIVE", "LIVE", "PAPER"]
    assert {row["status"] for row in demo_bots()} == {"RUNNING"}
