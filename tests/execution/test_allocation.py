"""An allocation is judged at the price at which the entry trades, not at the ticker."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from support.exchange import Exchange
from support.order_services import OrderServices, order_services, ordered

from execsvc.errors import OrderRefused
from execsvc.execution.funds import could_bind
from execsvc.execution.sizing import allowed
from execsvc.model.bot import Mode
from execsvc.model.order import Purpose

D = Decimal


@pytest.fixture
def made(exchange: Exchange, tmp_path: Path) -> Iterator[OrderServices]:
    """A ticker of 1002.5 between a bid of 1001.5 and an ask of 1003.5."""
    exchange.market(price=None, bids=[["1001.5", "50"]], asks=[["1003.5", "50"]])
    with order_services(exchange.url, tmp_path) as found:
        yield found


def amounts(exchange: Exchange) -> list[str]:
    return [order["amount"] for order in exchange.orders()]


def test_short_entry_with_an_allocation_is_judged_at_the_best_bid(
    exchange: Exchange, made: OrderServices
) -> None:
    order_service = made.order_service("b1", "BTC/USDT", allocation=D(50))
    ordered(order_service, Purpose.SHORT_ENTRY, D(1))
    assert amounts(exchange) == ["0.04992"]


def test_buy_with_an_allocation_is_judged_at_the_best_ask(
    exchange: Exchange, made: OrderServices
) -> None:
    order_service = made.order_service("b1", "BTC/USDT", allocation=D(50))
    ordered(order_service, Purpose.ENTRY, D("0.02"))
    ordered(order_service, Purpose.ENTRY, D(1))
    assert amounts(exchange) == ["0.02", "0.02984"]  # 50 / 1003.5 - 0.01998
    with pytest.raises(OrderRefused, match="below the minimum"):
        ordered(order_service, Purpose.ENTRY, D(1))


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_entry_whose_book_cannot_be_read_is_judged_at_the_ticker(
    exchange: Exchange, made: OrderServices, side: str
) -> None:
    exchange.fault("status", call="depth", times=None)
    order_service = made.order_service("b1", "BTC/USDT", allocation=D(50))
    if side == "buy":
        ordered(order_service, Purpose.ENTRY, D(1))
    else:
        ordered(order_service, Purpose.SHORT_ENTRY, D(1))
    assert amounts(exchange) == ["0.04987"]


def test_entry_far_below_its_allocation_reads_no_book(
    exchange: Exchange, made: OrderServices
) -> None:
    order_service = made.order_service("b1", "BTC/USDT", allocation=D(1000))
    ordered(order_service, Purpose.ENTRY, D("0.05"))
    ordered(made.order_service("b2", "BTC/USDT"), Purpose.SHORT_ENTRY, D("0.05"))
    assert amounts(exchange) == ["0.05", "0.05"]
    assert exchange.requests_of("depth") == 0


def test_entry_on_paper_is_judged_at_the_best_ask(made: OrderServices) -> None:
    order_service = made.order_service("b1", "BTC/USDT", mode=Mode.PAPER, allocation=D(50))
    assert ordered(order_service, Purpose.ENTRY, D(1)).filled < D(50) / D("1003.5")


@pytest.mark.parametrize(
    ("wanted", "could"), [("0.02", False), ("0.0249", False), ("0.025", True), ("9", True)]
)
def test_could_bind_from_half_of_the_allocation_on(wanted: str, could: bool) -> None:
    assert could_bind(D(wanted), D("0.025"), D(50), D(500)) is could


def test_allowed_is_the_allocation_less_what_is_held() -> None:
    assert allowed(D("0.025"), D(50), D(500)) == D("0.075")
