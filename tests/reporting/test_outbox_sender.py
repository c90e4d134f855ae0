"""Reports reach BotService at least once and each bot's in order, whatever fails or dies."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from support.bot_service_wire import Dead, order_of
from support.outboxes import AT, World
from support.store_files import REPORTS, ledger_path

from execsvc import failpoints
from execsvc.clock import installed
from execsvc.errors import LedgerFailed

BOTS = ("b0", "b1", "b2")
FATES = ("500", "400", "503", "garbage", "unsent", "lost", "die", "die after")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    with installed(made.clock):
        yield made
    made.close()


def assert_all_told(world: World, bots: Iterable[str] = BOTS) -> None:
    """By BotService: every row of every outbox, none before the one ahead of it."""
    told = order_of(world.wire.taken())
    for bot_id in bots:
        if not ledger_path(world.folder, bot_id).exists():
            continue
        wanted, got = world.outbox(bot_id), told[bot_id]
        places = [wanted.index(entry) for entry in got]
        steps = {later - earlier for earlier, later in pairwise(places)}
        assert steps <= {0, 1}, got
        assert list(dict.fromkeys(got)) == wanted


def test_all_is_told_in_order_and_once(world: World) -> None:
    for bot_id in (*BOTS, *BOTS):
        world.trade(bot_id)
    assert world.sender.pending == 0  # it did not look yet
    world.drain()
    assert_all_told(world)
    assert sum(map(len, order_of(world.wire.taken()).values())) == sum(
        len(world.outbox(bot_id)) for bot_id in BOTS
    )
    assert (world.sender.pending, world.sender.failures, world.sender.last_error) == (0, 0, None)
    assert world.sender.last_delivered_at == AT


@effort(max_examples=40)
@given(st.data())
def test_any_failures_and_deaths(data: st.DataObject) -> None:
    fates = data.draw(st.lists(st.sampled_from((*FATES, "ok", "ok")), max_size=40))
    deaths = iter(data.draw(st.lists(st.booleans(), max_size=60)))
    steps = data.draw(st.lists(st.sampled_from((*BOTS, "step", "step", "sweep")), max_size=25))

    def die_here(_: failpoints.Failpoint) -> None:
        if worker_works and next(deaths, False):
            raise Dead

    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), fates)
        worker_works = False
        with installed(world.clock):
            failpoints.watch(die_here)
            try:
                for step in steps:
                    if step in BOTS:
                        world.trade(step)
                    elif step == "sweep":
                        world.sender.sweep()
                    else:
                        worker_works = True
                        world.step()
                        worker_works = False
                worker_works = True
                world.drain()
            finally:
                failpoints.watch(None)
        assert_all_told(world)
        world.close()


@pytest.mark.parametrize("fate", ["400", "500", "unsent"])
def test_a_row_that_is_never_taken_blocks_its_bot_alone(world: World, fate: str) -> None:
    world.wire.always['"bot_id": "b1"'] = fate
    for bot_id in (*BOTS, *BOTS):
        world.trade(bot_id)
    for _ in range(200):
        if not world.step():
            world.clock.advance(1.0)
    assert_all_told(world, ("b0", "b2"))
    assert {entry.split()[1] for entry in order_of(world.wire.taken()).get("b1", [])} <= {"ORDER"}
    assert world.sender.pending == len(world.outbox("b1"))
    assert world.sender.last_error is not None
    assert world.sender.failures > 0
    world.wire.always.clear()
    world.drain()
    assert_all_told(world)
    assert (world.sender.pending, world.sender.last_error) == (0, None)


@pytest.mark.parametrize("fate", ["garbage", "lost"])
def test_an_order_whose_answer_was_lost_is_told_once(world: World, fate: str) -> None:
    world.wire.always["/orders"] = fate
    world.trade("b1")
    world.step()
    world.step()
    world.wire.always.clear()
    world.drain()
    assert_all_told(world, ("b1",))
    assert order_of(world.wire.taken())["b1"] == world.outbox("b1")


def test_a_service_that_was_away_is_told_all_at_once_when_it_is_back(world: World) -> None:
    for bot_id in BOTS:
        world.trade(bot_id)
    world.wire.always["/"] = "unsent"
    for _ in range(3600):
        world.clock.advance(1.0)
        world.step()
    assert world.sender.pending == sum(len(world.outbox(bot_id)) for bot_id in BOTS)
    world.wire.always.clear()
    world.clock.advance(30.0)
    while world.step():
        pass
    assert world.sender.pending == 0
    assert_all_told(world)


def test_what_was_delivered_but_not_recorded_is_not_sent_again(world: World) -> None:
    world.trade("b0")
    record, world.deliveries.delivered = world.deliveries.delivered, _full  # type: ignore[method-assign]
    for _ in range(5):
        with pytest.raises(LedgerFailed, match="disk"):
            world.drain()
    world.deliveries.delivered = record  # type: ignore[method-assign]
    world.drain()
    told = order_of(world.wire.taken())["b0"]
    assert told == world.outbox("b0")


def test_a_ledger_that_cannot_be_read_blocks_nobody(world: World) -> None:
    for bot_id in BOTS:
        world.trade(bot_id)
    broken = world.folder / "bots" / "broken-0.db"
    broken.write_bytes(b"no database" * 1000)
    world.sender.sweep()
    for _ in range(100):
        world.step()
    assert_all_told(world)
    assert "broken-0.db" in str(world.sender.last_error)
    broken.unlink()
    world.drain()
    assert world.sender.last_error is None


def test_a_sweep_looks_at_what_was_written_since(world: World) -> None:
    world.trade("b0")
    world.drain()
    world.sender.sweep()
    world.drain()
    world.sender.sweep()
    assert world.sender.next_moment() == float("inf")
    book_unseen = world.sender.mark_changed
    world.sender.mark_changed = lambda stem: None  # type: ignore[method-assign]
    world.trade("b0")
    world.sender.mark_changed = book_unseen  # type: ignore[method-assign]
    assert world.sender.next_moment() == float("inf")
    world.sender.sweep()
    world.drain()
    assert_all_told(world)


def test_ids_are_kept_no_longer_than_needed(world: World) -> None:
    for bot_id in BOTS:
        world.trade(bot_id)
    world.drain()
    with pytest.raises(LedgerFailed):
        world.deliveries.given("c1")
    assert (world.folder / REPORTS).exists()


def _full(*_: object) -> None:
    raise LedgerFailed("cannot record: disk is full")
