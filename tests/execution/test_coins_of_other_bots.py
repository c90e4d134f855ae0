"""A coin that one bot holds as its position is the quote of another bot's market."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support.exchange import Exchange
from support.order_services import OrderServices, order_services, ordered

from execsvc.errors import OrderRefused
from execsvc.execution.order_service import OrderService
from execsvc.model.bot import Mode
from execsvc.model.order import Purpose

D = Decimal
_numbers = itertools.count()


PRICES = {"ETH/USDT": "2500", "ETH/BTC": "0.05", "SOL/ETH": "0.05", "SOL/USDT": "125"}


@pytest.fixture
def made(exchange: Exchange, tmp_path: Path) -> Iterator[OrderServices]:
    for symbol, price in PRICES.items():
        exchange.market(symbol=symbol, price=price, min_notional="0.0001", min_amount="0.0001")
    with order_services(exchange.url, tmp_path) as found:
        yield found


def free(exchange: Exchange, coin: str, key: str = "k1") -> Decimal:
    return D(exchange.account(key)["balances"].get(coin, {"free": "0"})["free"])


def test_entry_whose_quote_another_bot_tracks_is_refused_with_the_reason(
    exchange: Exchange, made: OrderServices
) -> None:
    exchange.fund(btc=D(0))
    holder = made.order_service("holder", "BTC/USDT")
    ordered(holder, Purpose.ENTRY, D(1))
    tracked = holder.position.tracked
    assert tracked > D("0.1")

    spender = made.order_service("spender", "ETH/BTC")
    with pytest.raises(OrderRefused, match=r"0\.\d+ BTC of the free balance are positions of bots"):
        ordered(spender, Purpose.ENTRY, D(1))

    assert free(exchange, "BTC") == tracked
    assert exchange.orders(side="buy")[1:] == []
    ordered(holder, Purpose.EXIT, tracked)
    assert holder.position.is_flat


def test_entry_spends_the_users_own_quote_and_no_more(
    exchange: Exchange, made: OrderServices
) -> None:
    exchange.fund(btc=D("0.5"))
    holder = made.order_service("holder", "BTC/USDT")
    ordered(holder, Purpose.ENTRY, D("0.1"))
    spender = made.order_service("spender", "ETH/BTC")
    ordered(spender, Purpose.ENTRY, D(100000))
    left = exchange.lowest()
    assert holder.position.tracked <= left < holder.position.tracked + D("0.01")


def test_entry_of_a_paper_bot_counts_apart(exchange: Exchange, made: OrderServices) -> None:
    exchange.fund(btc=D("0.5"))
    on_paper = made.order_service("paper", "BTC/USDT", mode=Mode.PAPER)
    ordered(on_paper, Purpose.ENTRY, D("0.1"))
    spender = made.order_service("spender", "ETH/BTC")
    ordered(spender, Purpose.ENTRY, D(100000))
    assert free(exchange, "BTC") < D("0.01")


_steps = st.lists(
    st.tuples(
        st.integers(0, 3), st.sampled_from(("buy", "buy", "buy", "sell")), st.floats(0.1, 1.0)
    ),
    min_size=4,
    max_size=8,
)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(
    markets=["BTC/USDT", "ETH/BTC", "SOL/ETH", "BTC/USDT"],
    steps=[(0, "buy", 1.0), (1, "buy", 1.0), (0, "sell", 0.5), (1, "buy", 1.0), (2, "buy", 1.0)],
)
@given(
    markets=st.lists(st.sampled_from(("BTC/USDT", *PRICES)), min_size=4, max_size=4), steps=_steps
)
def test_entries_of_any_bots_leave_what_the_others_track(
    exchange: Exchange,
    made: OrderServices,
    markets: list[str],
    steps: list[tuple[int, str, float]],
) -> None:
    number = next(_numbers)
    key = f"account{number}"
    exchange.call("PUT", f"/sandbox/accounts/{key}", {"USDT": "10000"})
    bots = [made.order_service(f"b{number}-{n}", symbol, key) for n, symbol in enumerate(markets)]
    for which, what, part in steps:
        _trade(bots[which], what, D(part))
        _judge(exchange, bots, key)


def _trade(bot: OrderService, what: str, part: Decimal) -> None:
    """Buy for, or sell, ``part`` of all there is; a refusal is an outcome like any other."""
    try:
        if what == "buy":
            ordered(bot, Purpose.ENTRY, part * 10_000)
        else:
            ordered(bot, Purpose.EXIT, bot.position.tracked * part)
    except OrderRefused:
        return


def _judge(exchange: Exchange, bots: list[OrderService], key: str) -> None:
    tracked: defaultdict[str, Decimal] = defaultdict(Decimal)
    for bot in bots:
        tracked[bot.binding.base] += bot.position.tracked
    for coin, quantity in tracked.items():
        assert free(exchange, coin, key) >= quantity, coin
