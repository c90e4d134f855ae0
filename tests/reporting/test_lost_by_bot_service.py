"""A record that BotService took and lost, as when its database is restored, blocks no report for ever."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.bot_service_wire import FILLED, order_of
from support.outboxes import World
from support.store_files import file_stem
from support.stores import store_in

from execsvc.clients.answers import HttpAnswer
from execsvc.clock import installed
from execsvc.sandbox.server import Sandbox

STEM = file_stem("b1")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    with installed(made.clock):
        yield made
    made.close()


def lose_all(world: World) -> None:
    """BotService has its bots, and nothing that it was told of them."""
    world.wire.sandbox = Sandbox(bots=[{"id": f"b{number}"} for number in range(5)])


def entries(world: World) -> list[str]:
    return [entry.split()[1] for entry in order_of(world.wire.taken())["b1"]]


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_sender_of_an_order_that_botservice_lost_tell_the_order_once_more(
    world: World, rows: int
) -> None:
    world.trade("b1")
    for _ in range(1 + rows):  # the first step reads the ledger
        assert world.step()
    assert entries(world) == list(FILLED[:rows])
    lose_all(world)
    world.drain()
    assert entries(world) == ["ORDER", *FILLED[rows:]]
    world.trade("b1")
    world.drain()
    assert entries(world) == ["ORDER", *FILLED[rows:], *FILLED]


def test_sender_of_an_order_that_is_lost_again_and_again_tell_it_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.trade("b1")
    assert world.step()
    assert world.step()
    taken = world.wire._taken

    def forgetful(call: str, method: str, path: str, body: str, key: str | None) -> HttpAnswer:
        if "status" in path:
            return HttpAnswer(call, 404, b'{"detail": "Order not found"}', None)
        return taken(call, method, path, body, key)

    monkeypatch.setattr(world.wire, "_taken", forgetful)
    for _ in range(20):
        if not world.step():
            world.clock.advance(400)
    assert entries(world) == ["ORDER", "ORDER"]
    assert world.sender.last_error is not None
    monkeypatch.setattr(world.wire, "_taken", taken)
    world.drain()
    assert entries(world)[-3:] == list(FILLED[1:])


def test_order_of_a_session_that_botservice_lost_is_told_in_another(world: World) -> None:
    ledger = world._ledger("b1")
    ledger.note_start(booting=False)
    start = store_in(world.folder).outboxes().newest_start(STEM)
    assert start is not None
    world.deliveries.keep_session(STEM, start.start_id, json.dumps("lost"))
    world.trade("b1")
    world.drain()
    assert entries(world) == list(FILLED)
    (session,) = world.wire.sandbox.state.sessions.tables()["sessions"]
    assert session["id"] != "lost"
