from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from itertools import pairwise

import pytest

from execsvc.model.market import Depth, Trade
from execsvc.sandbox.instruments import UnknownSymbol
from execsvc.sandbox.market import Market, MarketChange


class Hand:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds


def sample(seed: int, every: float, until: float = 120) -> tuple[Depth, list[Trade]]:
    clock = Hand()
    market = Market(clock, seed)
    while clock.seconds < until:
        market.depth("BTC/USDT")
        clock.seconds += every
    return market.depth("BTC/USDT"), market.trades("BTC/USDT")


def test_the_same_seed_is_the_same_market_however_often_it_is_read() -> None:
    assert sample(1, every=1) == sample(1, every=40)
    assert sample(1, every=1) != sample(2, every=1)


def test_market_between_two_steps_is_unchanged() -> None:
    clock = Hand()
    market = Market(clock)
    first = market.depth("BTC/USDT")
    clock.seconds += 0.1
    assert market.depth("BTC/USDT") == first
    clock.seconds += 0.1
    assert market.depth("BTC/USDT") != first


def test_market_has_phases_of_one_sided_pressure_that_is_absorbed() -> None:
    clock = Hand()
    market = Market(clock)
    market.depth("BTC/USDT")
    seen = []
    for _ in range(1200):
        clock.seconds += 1
        book = market.depth("BTC/USDT")
        now_ms = clock.now().timestamp() * 1000
        window = [
            t for t in market.trades("BTC/USDT") if t.timestamp and t.timestamp > now_ms - 10_000
        ]
        sides = {side: Decimal(1) for side in ("buy", "sell")}
        for trade in window:
            assert trade.side is not None
            assert trade.price is not None
            assert trade.amount is not None
            sides[trade.side] += trade.price * trade.amount
        seen.append(
            (book.mid, (book.best_ask - book.best_bid) / book.mid, sides["buy"] / sides["sell"])
        )
    calm = sorted(spread for _, spread, _ in seen)[len(seen) // 2]
    pushes = {"up": 0, "down": 0}
    for (before, _, _), (mid, spread, ratio) in pairwise(seen):
        jump = (mid - before) / before
        if spread > 3 * calm and jump > Decimal("0.001") and ratio > Decimal("2.5"):
            pushes["up"] += 1
        if spread > 3 * calm and jump < Decimal("-0.001") and ratio < Decimal("0.4"):
            pushes["down"] += 1
    assert min(pushes.values()) > 0
    start = Decimal("88162.08")
    assert all(abs(mid / start - 1) < Decimal("0.1") for mid, _, _ in seen)


def test_no_trade_comes_from_the_future() -> None:
    clock = Hand()
    market = Market(clock)
    for _ in range(100):
        clock.seconds += 0.35
        newest = market.trades("ETH/USDT")[-1].timestamp
        assert newest is not None
        assert newest <= clock.now().timestamp() * 1000


def test_market_unread_for_long_skips_the_time() -> None:
    clock = Hand()
    market = Market(clock)
    market.depth("BTC/USDT")
    clock.seconds += 10 * 365 * 86400
    stamp = market.depth("BTC/USDT").timestamp
    assert stamp is not None
    assert 0 <= clock.now().timestamp() * 1000 - stamp < 200


def test_any_symbol_is_a_market() -> None:
    market = Market(Hand())
    assert market.price("FOO/BAR") == Market(Hand()).price("FOO/BAR") > 0
    with pytest.raises(UnknownSymbol):
        market.depth("FOO")


@pytest.mark.parametrize("price", ["0.00001", "1", "50000", "1e9"])
def test_a_pinned_price_is_what_a_buy_pays(price: str) -> None:
    market = Market(Hand())
    market.change(MarketChange(price=Decimal(price)))
    book = market.depth("BTC/USDT")
    assert market.price("BTC/USDT") == book.best_ask == Decimal(price)
    assert Decimal("0.9") * book.best_ask < book.best_bid < book.best_ask
    assert {trade.price for trade in market.trades("BTC/USDT")} == {Decimal(price)}


def test_a_change_of_one_symbol_wins_and_can_be_taken_back() -> None:
    market = Market(Hand())
    market.change(MarketChange(price=Decimal(7)))
    market.change(MarketChange(symbol="ETH/USDT", price=Decimal(8), fee_rate=Decimal(0)))
    assert (market.price("BTC/USDT"), market.price("ETH/USDT")) == (7, 8)
    assert (market.terms("BTC/USDT").fee_rate, market.terms("ETH/USDT").fee_rate) == (
        Decimal("0.001"),
        0,
    )
    market.change(MarketChange(symbol="ETH/USDT", price=None))
    assert market.price("ETH/USDT") > 1000
