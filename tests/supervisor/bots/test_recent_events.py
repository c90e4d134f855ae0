"""The last events, as the page shows them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from loguru import logger
from support.facts import HELD, bot, changed, ledger, running

from execsvc.logs import bound
from execsvc.model.position import Position
from execsvc.supervisor.bots.recent import KEPT, LONGEST, Recent


@pytest.fixture
def recent() -> Iterator[Recent]:
    made = Recent()
    before = set(handlers())
    made.listen()
    yield made
    for handler in set(handlers()) - before:
        logger.remove(handler)


def handlers() -> dict[int, Any]:
    """The sinks that loguru knows."""
    found: dict[int, Any] = logger._core.handlers  # type: ignore[attr-defined]
    return found


def test_what_is_logged_as_an_event_is_kept_newest_first(recent: Recent) -> None:
    bound(bot_id="b1").bind(event="bot_started").info("started, pid {}", 1)
    logger.bind(event="listing_failed").warning("listing failed")
    logger.info("no event")
    logger.bind(event="fine").debug("too fine")
    logger.bind(event="status_shown").info("asked for")
    shown = [(e["level"], e["event"], e["bot_id"], e["text"]) for e in recent.shown()]
    assert shown == [
        ("WARNING", "listing_failed", "", "listing failed"),
        ("INFO", "bot_started", "b1", "started, pid 1"),
    ]


def test_only_the_newest_are_kept_and_none_is_long(recent: Recent) -> None:
    for number in range(KEPT * 2):
        logger.bind(event="x").info("{} " + "y" * 1000, number)
    shown = recent.shown()
    assert len(shown) == KEPT
    assert shown[0]["text"].startswith(f"{KEPT * 2 - 1} ")
    assert len(shown[0]["text"]) == LONGEST


def test_a_change_of_a_position_is_an_event(recent: Recent) -> None:
    seen = bot(ledger=ledger())
    recent.position("b1", seen.position)
    seen = changed(seen, owner=running())
    recent.position("b1", seen.position)
    recent.position("b1", seen.position)
    short = ledger(position=Position(sold_short=Decimal("0.5")))
    seen = changed(seen, owner=None, ledger=short)
    recent.position("b1", seen.position)
    seen = changed(seen, ledger=ledger())
    recent.position("b1", seen.position)
    recent.position("b1", seen.position)
    assert [event["text"] for event in recent.shown()] == [
        "flat",
        "sold 0.5 of its owner's",
        f"holds 0.01998 at {HELD.entry_price}",
    ]
