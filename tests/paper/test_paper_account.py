from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execsvc.errors import OrderRefused
from execsvc.model.market import Depth, Level, Limits
from execsvc.model.order import Side
from execsvc.paper.account import PaperAccount
from execsvc.paper.terms import FeeAsset, Terms
from execsvc.paper.trading import MarketOrder

DEPTH = Depth(
    symbol="BTC/USDT",
    bids=(Level(Decimal("49990.07"), Decimal("0.3")), Level(Decimal("49000.11"), Decimal(5))),
    asks=(Level(Decimal("50000.03"), Decimal("0.3")), Level(Decimal("51000.99"), Decimal(5))),
)
TERMS = Terms(Limits(min_notional=Decimal(5), min_amount=Decimal("0.00001")))
BEGIN = datetime(2026, 1, 1, tzinfo=timezone.utc)


def account() -> PaperAccount:
    return PaperAccount({"BTC": Decimal(1), "USDT": Decimal(100_000)})


def test_a_buy_moves_both_assets_and_writes_it_down() -> None:
    held = account()
    fill = held.execute(DEPTH, TERMS, MarketOrder(Side.BUY, Decimal("0.1")), BEGIN, "mine")
    assert fill.filled == Decimal("0.1")
    assert held.free("BTC") == Decimal("1.0999")
    assert held.free("USDT") == Decimal(100_000) - Decimal("5000.003")
    assert [(m.cause, m.asset, m.change) for m in held.movements] == [
        ("mine", "BTC", Decimal("0.0999")),
        ("mine", "USDT", Decimal("-5000.003")),
    ]


def test_what_is_refused_changes_nothing() -> None:
    held = account()
    with pytest.raises(OrderRefused):
        held.execute(DEPTH, TERMS, MarketOrder(Side.SELL, Decimal(2)), BEGIN)
    with pytest.raises(OrderRefused):
        held.deposit("BTC", Decimal(-2), BEGIN)
    with pytest.raises(OrderRefused):
        held.lock("BTC", Decimal(-1), BEGIN)
    assert held.movements == []
    assert (held.free("BTC"), held.free("USDT")) == (1, 100_000)


def test_what_is_locked_cannot_be_sold() -> None:
    held = account()
    held.lock("BTC", Decimal("0.6"), BEGIN)
    assert (held.free("BTC"), held.locked("BTC"), held.total("BTC")) == (
        Decimal("0.4"),
        Decimal("0.6"),
        1,
    )
    with pytest.raises(OrderRefused, match="insufficient"):
        held.execute(DEPTH, TERMS, MarketOrder(Side.SELL, Decimal("0.5")), BEGIN)


def test_an_asset_never_held_is_zero() -> None:
    assert account().total("DOGE") == 0


QUANTITIES = st.decimals("0.00001", "2", places=5)
STEPS = st.one_of(
    st.tuples(st.just("order"), st.sampled_from(Side), QUANTITIES, st.sampled_from(FeeAsset)),
    st.tuples(st.just("deposit"), st.sampled_from(["BTC", "USDT", "ETH"]), QUANTITIES, st.just(1)),
    st.tuples(st.just("deposit"), st.sampled_from(["BTC", "USDT", "ETH"]), QUANTITIES, st.just(-1)),
    st.tuples(
        st.just("lock"), st.sampled_from(["BTC", "USDT"]), QUANTITIES, st.sampled_from([1, -1])
    ),
)


@given(st.lists(STEPS, max_size=30))
def test_the_events_add_up_to_the_balances(steps: list[Any]) -> None:
    held, traded = account(), {"BTC": Decimal(0), "USDT": Decimal(0)}
    for number, (kind, what, amount, how) in enumerate(steps):
        now = BEGIN + timedelta(seconds=number)
        try:
            if kind == "order":
                terms = TERMS._replace(fee_asset=how)
                fill = held.execute(DEPTH, terms, MarketOrder(what, amount), now)
                assert fill.cost is not None
                traded["BTC"] += fill.base_change(what)
                traded["USDT"] -= what.sign * fill.cost + fill.quote_fee
            elif kind == "deposit":
                held.deposit(what, how * amount, now)
            else:
                held.lock(what, how * amount, now)
        except OrderRefused:
            continue
    for asset in held.assets:
        events = [m for m in held.movements if m.asset == asset]
        total = held.initial.get(asset, Decimal(0)) + sum(m.change for m in events)
        assert total == held.total(asset)
        assert held.free(asset) >= 0
        assert held.locked(asset) >= 0
        for earlier, later in pairwise(events):
            assert (earlier.free_after, earlier.locked_after) == (
                later.free_before,
                later.locked_before,
            )
    for asset, change in traded.items():
        assert change == sum(
            m.change for m in held.movements if m.asset == asset and m.cause == "order"
        )
