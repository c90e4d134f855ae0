"""``test_trading_v1`` by itself: what it asks for, tick by tick."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from execsvc.errors import OrderRefused
from execsvc.model.balance import Balance, Holding
from execsvc.model.market import Ticker
from execsvc.model.order import Fill, Side
from execsvc.model.position import Position
from execsvc.strategies.test_trading_v1.strategy import TrialParams, TrialState, TrialTrading

D = Decimal
START = datetime(2026, 1, 1, tzinfo=timezone.utc)


class Market:
    """A context of 10 000 USDT at a price of 50 000; orders are filled as asked."""

    symbol = "BTC/USDT"

    def __init__(self, **params: Any) -> None:
        self.params = TrialParams(**{"allocation_ratio": "0.1", **params})
        self.state = TrialState()
        self.now = START
        self.position = Position()
        self.asked: list[tuple[Side, Decimal]] = []
        self.refuses = False
        self.forgets = False

    def balance(self) -> Balance:
        return Balance(assets=(Holding(asset="USDT", free=D(10000), locked=D(0)),))

    def ticker(self) -> Ticker:
        return Ticker(symbol=self.symbol, price=D(50000))

    def buy(self, amount: Decimal, reason: str) -> Fill:
        return self._trade(Side.BUY, amount)

    def sell(self, amount: Decimal, reason: str) -> Fill:
        return self._trade(Side.SELL, amount)

    def _trade(self, side: Side, amount: Decimal) -> Fill:
        self.asked.append((side, amount))
        if self.refuses:
            raise OrderRefused("no")
        fill = Fill(filled=amount, average=D(50000))
        self.position = self.position.after(side, fill, self.now)
        if self.forgets:
            raise SystemExit("died between the order and the end of the tick")
        return fill

    def tick(self, after: float = 1.0) -> None:
        """One tick; the state is kept with each order and at its end, as a runner does."""
        self.now += timedelta(seconds=after)
        kept = self.state.model_copy()
        try:
            TrialTrading().execute(self)  # type: ignore[arg-type]
        except OrderRefused:
            return
        except SystemExit:
            self.state = kept

    @property
    def sides(self) -> str:
        return "".join(side.value[0] for side, _ in self.asked)


def test_it_spends_its_part_of_the_free_quote() -> None:
    market = Market()
    market.tick()
    assert market.asked == [(Side.BUY, D("0.02"))]


def test_it_holds_as_long_as_it_is_told() -> None:
    market = Market(hold_duration=60)
    market.tick()
    for _ in range(59):
        market.tick()
    assert market.sides == "b"
    market.tick()
    assert market.asked[-1] == (Side.SELL, D("0.02"))


@pytest.mark.parametrize(("loops", "orders"), [(1, "bs"), (3, "bsbsbs")])
def test_it_does_so_many_loops_and_idles(loops: int, orders: str) -> None:
    market = Market(hold_duration=1, loop_count=loops)
    for _ in range(50):
        market.tick()
    assert market.sides == orders
    assert market.state.loops == loops


def test_zero_loops_are_without_end() -> None:
    market = Market(hold_duration=1, loop_count=0)
    for _ in range(100):
        market.tick()
    assert market.sides == "bs" * 50


def test_a_crash_behind_a_buy_neither_doubles_it_nor_holds_longer() -> None:
    market = Market(hold_duration=10, loop_count=1)
    market.forgets = True
    market.tick()
    market.forgets = False
    market.tick(after=9)
    assert market.sides == "b"
    market.tick()
    assert market.sides == "bs"


def test_a_crash_behind_a_sell_does_not_lose_the_loop() -> None:
    market = Market(hold_duration=5, loop_count=1)
    market.tick()
    market.tick()
    market.forgets = True
    market.tick(after=5)
    market.forgets = False
    for _ in range(5):
        market.tick()
    assert market.sides == "bs"
    assert market.state.loops == 1


def test_a_refused_sell_is_asked_for_again() -> None:
    market = Market(hold_duration=1, loop_count=1)
    market.tick()
    market.refuses = True
    market.tick()
    market.refuses = False
    market.tick()
    assert market.sides == "bss"
    assert market.position.is_flat


def test_dust_is_no_position() -> None:
    market = Market(loop_count=1)
    market.position = Position(tracked=D("0.000001"), dust=True)
    market.tick()
    assert market.sides == "b"


def test_a_position_from_before_is_held_from_when_it_was_opened() -> None:
    market = Market(hold_duration=60)
    market.position = Position(tracked=D("0.02"), opened_at=START - timedelta(seconds=59))
    market.tick()
    assert market.asked == [(Side.SELL, D("0.02"))]


def test_a_hold_without_end_is_no_error() -> None:
    market = Market(hold_duration=10**18)
    market.tick()
    market.tick(after=1e6)
    assert market.sides == "b"


@pytest.mark.parametrize(
    "wrong",
    [
        {"allocation_ratio": 0},
        {"allocation_ratio": 1.01},
        {"allocation_ratio": "NaN"},
        {"allocation_ratio": 0.1, "hold_duration": 0},
        {"allocation_ratio": 0.1, "hold_duration": 5.5},
        {"allocation_ratio": 0.1, "hold_duration": "inf"},
        {"allocation_ratio": 0.1, "loop_count": -1},
        {"allocation_ratio": 0.1, "loop_count": 1.5},
    ],
)
def test_wrong_parameters(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TrialParams(**wrong)


def test_what_parameters_are_when_left_out() -> None:
    params = TrialParams()
    assert params == TrialParams(allocation_ratio=D("0.1"), hold_duration=60, loop_count=5)
