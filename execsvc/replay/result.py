"""The result of a replay."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from execsvc.model.market import ZERO
from execsvc.replay.trips import RoundTrip


class Conditions(BaseModel):
    """The conditions of a replay.

    Times in seconds, ``balance`` is base and quote, ``stop_loss`` in percent of the entry price. A
    recording does not contain the smallest order: that is assumed, as for BTC/USDT.
    """

    model_config = ConfigDict(frozen=True)

    interval: float = 5.0
    phase: float = 0.0
    fee: Decimal = Decimal("0.001")
    latency: float = 0.1
    balance: tuple[Decimal, Decimal] = (Decimal(1), Decimal(10_000))
    allocation: Decimal | None = None
    min_amount: Decimal | None = Decimal("0.00001")
    min_notional: Decimal | None = Decimal(5)
    symbol: str = "BASE/QUOTE"
    max_order_notional: Decimal | None = None
    max_orders_per_minute: int | None = None
    daily_loss_limit: Decimal | None = None
    stop_loss: Decimal | None = None


class Point(NamedTuple):
    """One tick in the picture: prices in quote, volumes of takers, the result by then."""

    t: float
    mid: float
    spread: float
    bought: float
    sold: float
    equity: float


class ReplayResult(BaseModel):
    """One replay. Money in quote, times in seconds; nothing in it depends on the machine."""

    model_config = ConfigDict(frozen=True)

    recording: str
    strategy: str
    params: dict[str, object]
    conditions: Conditions
    start: str
    end: str
    span: float
    bad_lines: int
    ticks: int
    skipped_ticks: int
    errors: int
    looked: int
    died: dict[str, int]
    signals: dict[str, int]
    ends: dict[str, int]
    cut_windows: int
    no_entry: int
    trips: list[RoundTrip]
    gross: Decimal
    fees: Decimal
    net: Decimal
    max_drawdown: Decimal

    @property
    def hit_rate(self) -> float | None:
        """The part of the round trips that made money; None without any."""
        if not self.trips:
            return None
        return sum(trip.net > 0 for trip in self.trips) / len(self.trips)

    @property
    def in_position(self) -> float:
        """The part of the time in which a position was open."""
        return sum(trip.seconds for trip in self.trips) / self.span if self.span else 0.0

    def by_rule(self) -> dict[str, list[RoundTrip]]:
        """The round trips by the rule that closed them."""
        rules: dict[str, list[RoundTrip]] = {}
        for trip in self.trips:
            rules.setdefault(trip.rule, []).append(trip)
        return dict(sorted(rules.items()))


class Equity:
    """The result by now, with the position valued at the mid, and its deepest fall."""

    def __init__(self) -> None:
        self.now = ZERO
        self.max_drawdown = ZERO
        self._highest = ZERO

    def set(self, value: Decimal) -> None:
        """Take over the equity of one tick."""
        self.now = value
        self._highest = max(self._highest, value)
        self.max_drawdown = max(self.max_drawdown, self._highest - value)
