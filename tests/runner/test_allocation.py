"""An allocation is judged at the price at which the entry trades, not at the ticker."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from support.desks import Desks, desks
from support.exchange import Exchange

from execsvc.errors import OrderRefused
from execsvc.execution.allocation import allowed
from execsvc.model.bot import Mode
from execsvc.runner.short_desk import ShortDesk

D = Decimal


@pytest.fixture
def made(exchange: Exchange, tmp_path: Path) -> Iterator[Desks]:
    """A ticker of 1002.5 between a bid of 1001.5 and an ask of 1003.5."""
    exchange.market(price=None, bids=[["1001.5", "50"]], asks=[["1003.5", "50"]])
    with desks(exchange.url, tmp_path) as found:
        yield found


def amounts(exchange: Exchange) -> list[str]:
    return [order["amount"] for order in exchange.orders()]


def test_short_entry_with_an_allocation_is_judged_at_the_best_bid(
    exchange: Exchange, made: Desks
) -> None:
    desk = made.desk("b1", "BTC/USDT", allocation=D(50))
    ShortDesk(desk).sell_owned(D(1), "entry", None)
    assert amounts(exchange) == ["0.04992"]


def test_buy_with_an_allocation_is_judged_at_the_best_ask(exchange: Exchange, made: Desks) -> None:
    desk = made.desk("b1", "BTC/USDT", allocation=D(50))
    desk.buy(D("0.02"), "entry", None)
    desk.buy(D(1), "adds", None)
    assert amounts(exchange) == ["0.02", "0.02984"]  # 50 / 1003.5 - 0.01998
    with pytest.raises(OrderRefused, match="below the minimum"):
        desk.buy(D(1), "adds", None)


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_entry_whose_book_cannot_be_read_is_judged_at_the_ticker(
    exchange: Exchange, made: Desks, side: str
) -> None:
    exchange.fault("status", call="depth", times=None)
    desk = made.desk("b1", "BTC/USDT", allocation=D(50))
    if side == "buy":
        desk.buy(D(1), "entry", None)
    else:
        ShortDesk(desk).sell_owned(D(1), "entry", None)
    assert amounts(exchange) == ["0.04987"]


def test_entry_far_below_its_allocation_reads_no_book(exchange: Exchange, made: Desks) -> None:
    desk = made.desk("b1", "BTC/USDT", allocation=D(1000))
    desk.buy(D("0.05"), "entry", None)
    ShortDesk(made.desk("b2", "BTC/USDT")).sell_owned(D("0.05"), "entry", None)
    assert amounts(exchange) == ["0.05", "0.05"]
    assert exchange.requests_of("depth") == 0


def test_entry_on_paper_is_judged_at_the_best_ask(made: Desks) -> None:
    desk = made.desk("b1", "BTC/USDT", mode=Mode.PAPER, allocation=D(50))
    assert desk.buy(D(1), "entry", None).filled < D(50) / D("1003.5")


@pytest.mark.parametrize(
    ("wanted", "asks"), [("0.02", False), ("0.0249", False), ("0.025", True), ("9", True)]
)
def test_allowed_asks_for_the_book_once_half_of_the_allocation_is_reached(
    wanted: str, asks: bool
) -> None:
    asked = []

    def best_price() -> Decimal:
        asked.append(True)
        return D(500)

    most = allowed(D(wanted), D("0.025"), D(50), D(500), best_price)
    assert most == D("0.075")
    assert bool(asked) is asks
