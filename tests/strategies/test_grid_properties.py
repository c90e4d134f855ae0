"""Properties of ``grid_v1`` on any market, with orders of any outcome."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st
from support.price_bot import D, Order, PriceBot

from execsvc.model.market import Limits
from execsvc.model.order import Side
from execsvc.strategies.grid_v1.strategy import GridTrading

ALLOCATION = D(500)
LOWER, UPPER = 80, 120


class Moment(NamedTuple):
    move: int
    fate: str = "ok"


moments = st.builds(
    Moment,
    move=st.integers(-15, 15),
    fate=st.sampled_from(["ok"] * 6 + ["refused", "part", "unread", "dies"]),
)
markets = st.lists(moments, min_size=10, max_size=80)
counts = st.sampled_from([2, 3, 4, 10, 40])


class Played(NamedTuple):
    orders: list[Order]
    bot: PriceBot
    costs: list[Decimal]
    """The cost of the position, after each tick."""
    spent: list[Decimal]
    """The cost of the purchases less the proceeds of the sales, after each tick."""


def play(market: list[Moment], count: int, restarts: bool = False, exact: bool = False) -> Played:
    """A walk of the price from 100 on. ``restarts``: a new process on every tick, and no death else.

    ``exact``: amounts are neither rounded nor charged with a fee.
    """
    params = {"lower_price": LOWER, "upper_price": UPPER, "grid_count": count}
    bot, price = PriceBot(GridTrading, str(ALLOCATION), **params), 100
    if not exact:
        bot.base_fee, bot.decimals = D("0.001"), 5
        bot.minima = Limits(min_amount=D("0.00001"), min_notional=D(5))
    costs, spent = [], []
    for number, moment in enumerate(market):
        price = max(price + moment.move, 5)
        if restarts:
            bot.restart()
        bot.tick(5 * number, D(price), moment.fate)
        costs.append(bot.position.tracked * (bot.position.entry_price or 0))
        spent.append(10_000 - bot.free)
    return Played(bot.orders, bot, costs, spent)


def without_deaths(market: list[Moment]) -> list[Moment]:
    return [m._replace(fate="ok") if m.fate == "dies" else m for m in market]


@given(markets, counts)
def test_grid_bot_never_holds_more_than_its_allocation(market: list[Moment], count: int) -> None:
    played = play(market, count)

    assert max(played.costs) <= ALLOCATION
    assert max(played.spent) <= ALLOCATION


@given(markets, counts)
def test_grid_bot_never_sells_what_it_did_not_buy(market: list[Moment], count: int) -> None:
    held = D(0)
    for order in play(market, count).orders:
        held += order.amount if order.side is Side.BUY else -order.amount
        assert held >= 0


@given(markets, counts)
def test_grid_bot_orders_the_same_on_the_same_market(market: list[Moment], count: int) -> None:
    assert play(market, count).orders == play(market, count).orders


@given(markets, counts)
def test_grid_bot_restarted_on_every_tick_orders_the_same(market: list[Moment], count: int) -> None:
    market = without_deaths(market)
    one, other = play(market, count), play(market, count, restarts=True)

    assert other.orders == one.orders
    assert other.bot.state == one.bot.state


@given(markets, counts)
def test_grid_bot_killed_behind_orders_gives_each_part_to_a_level(
    market: list[Moment], count: int
) -> None:
    """The base of no level is less than the remainder of rounding each order."""
    market = [m if m.fate == "dies" else m._replace(fate="ok") for m in market]
    played = play([*market, Moment(0)], count)

    known = sum(played.bot.state.held.values(), D(0))
    assert 0 <= played.bot.position.tracked - known < D("0.00002") * (len(played.orders) + 1)


@given(st.lists(st.integers(-15, 15), min_size=5, max_size=80), counts)
def test_grid_bot_orders_what_a_level_by_level_account_says(moves: list[int], count: int) -> None:
    """Each level by itself: bought when crossed downwards, sold when the next line is reached."""
    played = play([Moment(move) for move in moves], count, exact=True)

    lines = [LOWER + (UPPER - LOWER) * D(n) / count for n in range(count + 1)]
    held: dict[int, Decimal] = {}
    price, expected = 100, []
    for number, move in enumerate(moves):
        before, price = price, max(price + move, 5)
        if number == 0:
            continue  # the first tick is where the grid begins
        sold = sum((held.pop(n) for n in list(held) if price >= lines[n + 1]), D(0))
        crossed = [n for n in range(count) if before > lines[n] >= price and n not in held]
        held.update(dict.fromkeys(crossed, ALLOCATION / count / price))
        if sold:
            expected.append((Side.SELL, round(sold, 8)))
        if crossed:
            expected.append((Side.BUY, round(ALLOCATION / count / price * len(crossed), 8)))

    assert [(order.side, round(order.amount, 8)) for order in played.orders] == expected


def test_these_markets_do_trade() -> None:
    """The cases of the properties occur: otherwise the properties would hold of nothing."""
    played = play([Moment(move) for move in (0, -11, -10, 12, 15, -15)], 4)

    assert [order.side.value for order in played.orders] == ["buy", "buy", "sell", "sell", "buy"]
