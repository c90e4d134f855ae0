"""Properties of ``orderflow_exhaustion_v1`` on any market."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st
from support.orderflow import Bot, D, Order, taker

from execsvc.model.market import Trade
from execsvc.strategies.orderflow_exhaustion_v1.state import OrderflowState

ENTRIES, EXITS = {"buy", "sell_owned"}, {"sell", "buy_back"}
ALLOCATION = "500"


class Moment(NamedTuple):
    """One tick: seconds since the last, moves of mid and half spread in cents, takers in quote."""

    wait: int
    move: int
    half_spread: int
    bought: int
    sold: int
    has_book: bool = True
    has_trades: bool = True


moments = st.builds(
    Moment,
    wait=st.integers(1, 6),
    move=st.integers(-40, 40),
    half_spread=st.sampled_from([1, 2, 10, 20]),
    bought=st.sampled_from([0, 10, 100]),
    sold=st.sampled_from([0, 10, 100]),
    has_book=st.sampled_from([True] * 9 + [False]),
    has_trades=st.sampled_from([True] * 9 + [False]),
)
markets = st.lists(moments, min_size=20, max_size=120)
params = st.fixed_dictionaries(
    {
        "pressure_signals_required": st.integers(1, 3),
        "confirm_absorption_ticks": st.integers(1, 2),
        "cooldown_sec": st.sampled_from([0, 5, 30]),
        "time_stop_sec": st.sampled_from([10, 30]),
        "confirm_timeout_sec": st.sampled_from([5, 60]),
        "buy_allocation_ratio": st.sampled_from(["0.01", "1"]),
        "sell_allocation_ratio": st.sampled_from(["0.01", "1"]),
    }
)


class Step(NamedTuple):
    at: float
    ask: Decimal
    bid: Decimal
    before: OrderflowState
    after: OrderflowState
    orders: list[Order]


def kept(state: OrderflowState) -> OrderflowState:
    """A copy, as a restart reads it, which is much cheaper than a deep copy of each Decimal."""
    return OrderflowState.model_validate_json(state.model_dump_json())


def run(market: list[Moment], given_params: dict[str, object]) -> list[Step]:
    bot, mid, at = Bot(allocation=ALLOCATION, **given_params), D(100), 0.0
    bot.free["BTC"] = D(1000)
    steps, recent = [], list[Trade]()
    before = kept(bot.state)
    for moment in market:
        at += moment.wait
        mid = max(mid + D(moment.move) / 100, D(50))
        half = D(moment.half_spread) / 100
        if moment.bought:
            recent.append(taker("buy", str(moment.bought), at))
        if moment.sold:
            recent.append(taker("sell", str(moment.sold), at))
        known = len(bot.orders)
        bot.tick(
            at,
            str(mid - half) if moment.has_book else None,
            str(mid + half),
            recent[-50:] if moment.has_trades else None,
        )
        after = kept(bot.state)
        steps.append(Step(at, mid + half, mid - half, before, after, list(bot.orders[known:])))
        before = after
    return steps


@given(markets, params)
def test_no_entry_without_opposite_pressure_before_it(
    market: list[Moment], given_params: dict[str, object]
) -> None:
    for step in run(market, given_params):
        for order in step.orders:
            if order.kind in ENTRIES:
                pressure = step.before.pressure
                assert step.before.phase.value == "WAIT_CONFIRM"
                assert pressure is not None
                wanted = "sell" if order.kind == "buy" else "buy"
                assert pressure.side.value == wanted


@given(markets, params)
def test_no_entry_in_a_cooldown(market: list[Moment], given_params: dict[str, object]) -> None:
    closed_at: float | None = None
    for step in run(market, given_params):
        for order in step.orders:
            if order.kind in EXITS:
                closed_at = step.at
            elif closed_at is not None:
                assert step.at - closed_at >= float(str(given_params["cooldown_sec"]))


@given(markets, params)
def test_an_entry_is_never_larger_than_the_allocation(
    market: list[Moment], given_params: dict[str, object]
) -> None:
    for step in run(market, given_params):
        for order in step.orders:
            price = step.ask if order.kind == "buy" else step.bid
            if order.kind in ENTRIES:
                assert order.amount * price <= D(ALLOCATION)


@given(markets, params)
def test_a_position_is_closed_on_the_first_tick_after_its_time(
    market: list[Moment], given_params: dict[str, object]
) -> None:
    opened_at: float | None = None
    for step in run(market, given_params):
        if opened_at is not None and step.at - opened_at >= float(
            str(given_params["time_stop_sec"])
        ):
            assert [order.kind for order in step.orders] in (["sell"], ["buy_back"])
        for order in step.orders:
            opened_at = step.at if order.kind in ENTRIES else None


@given(markets, params)
def test_the_same_market_gives_the_same_orders(
    market: list[Moment], given_params: dict[str, object]
) -> None:
    assert run(market, given_params) == run(market, given_params)


def test_these_markets_do_trade() -> None:
    """The cases of the properties occur: otherwise the properties would hold of nothing."""
    push = [Moment(1, -30, 20, 0, 100), Moment(1, 0, 2, 0, 100), Moment(1, 0, 2, 0, 100)]
    market = [Moment(1, 0, 2, 0, 0), *push, *[Moment(5, 0, 2, 0, 0)] * 4]

    kinds = [order.kind for step in run(market, {"time_stop_sec": 10}) for order in step.orders]

    assert kinds == ["buy", "sell"]
