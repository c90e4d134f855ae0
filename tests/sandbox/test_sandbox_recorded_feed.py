from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from support.exchange import Exchange
from support.recordings import book, trade, write

from execsvc.clock import SimulatedClock
from execsvc.recording.files import Recording
from execsvc.sandbox.feeds import RecordedFeed
from execsvc.sandbox.server import Sandbox

ROWS = [book(0, "99", "101"), trade(1000, "buy"), book(2000, "98", "100"), book(9000, "1", "2")]
BEGIN = datetime(2026, 1, 1, tzinfo=timezone.utc)
BEGIN_MS = int(BEGIN.timestamp() * 1000)


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(BEGIN)


@pytest.fixture
def recorded(tmp_path: Path, clock: SimulatedClock) -> Iterator[Exchange]:
    """A sandbox that serves a recording at twice its pace."""
    played = RecordedFeed(Recording(write(tmp_path / "m.jsonl", ROWS)), speed=2)
    running = Sandbox(time=clock, recorded=played)
    running.start()
    yield Exchange(running.url)
    running.stop()


def test_the_market_is_the_recording_at_its_speed_and_at_our_time(
    recorded: Exchange, clock: SimulatedClock
) -> None:
    asked = "key_id=k1&symbol=BTC/USDT&limit=5"
    first = recorded.call("GET", f"/market/depth?{asked}")
    assert (first["best_bid"], first["timestamp"]) == (99, BEGIN_MS)
    assert recorded.call("GET", f"/market/trades?{asked}")["trades"] == []

    clock.advance(0.6)
    (dealt,) = recorded.call("GET", f"/market/trades?{asked}")["trades"]
    assert (dealt["timestamp"], dealt["side"]) == (BEGIN_MS + 500, "buy")
    assert recorded.call("GET", f"/market/depth?{asked}")["best_bid"] == 99

    clock.advance(0.4)
    assert recorded.call("GET", f"/market/depth?{asked}")["best_bid"] == 98


def test_orders_are_filled_on_it_and_it_stands_still_at_its_end(
    recorded: Exchange, clock: SimulatedClock
) -> None:
    recorded.fund()
    recorded.call("GET", "/market/ticker?key_id=k1&symbol=BTC/USDT")
    clock.advance(3600)
    recorded.by_hand(kind="buy", amount="3")

    assert Decimal(recorded.account()["balances"]["USDT"]["free"]) == Decimal(10_000 - 6)
