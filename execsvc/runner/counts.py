"""The counters of a bot's process since its start; its reports carry all of them.

On the wire they are a list of whole numbers in a fixed order, as both ends are the same program,
and nearly all of them are small: about 140 bytes of a report's 4096.
"""

from __future__ import annotations

from itertools import product
from typing import Literal, NamedTuple, get_args

from execsvc.clients.exchange_adapter import Read
from execsvc.execution.ports import LiquidationResult
from execsvc.model.bot import Mode
from execsvc.model.histogram import Histogram
from execsvc.model.order import OrderState, Side
from execsvc.store.orders import OrderRow

TickResult = Literal["ok", "skipped", "failed"]
Outcome = Literal["filled", "partly", "refused", "contested"]

TICK_BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Bounds in seconds.

A tick is some reads over the network and at times an order, which may be settled.
"""


class Series(NamedTuple):
    """The series that one number belongs to: a name, and the values of its labels."""

    name: str
    labels: tuple[str, ...] = ()


_MODES = tuple(mode.value.lower() for mode in Mode)
_SIDES = tuple(side.value for side in Side)
SERIES: tuple[Series, ...] = (
    *(Series("ticks", (result,)) for result in get_args(TickResult)),
    *(Series("read_errors", (call,)) for call in get_args(Read)),
    *(Series("orders", labels) for labels in product(_MODES, _SIDES, get_args(Outcome))),
    *(Series("orders_unknown", (side,)) for side in _SIDES),
    *(Series("settlements", (outcome,)) for outcome in get_args(Outcome)),
    Series("liquidation_attempts"),
    *(Series("liquidations", (result,)) for result in get_args(LiquidationResult)),
    Series("report_drops"),
)
"""The order of the numbers; those of the histogram of ticks follow them."""
_AT = {(series.name, *series.labels): index for index, series in enumerate(SERIES)}
SIZE = len(SERIES) + len(TICK_BOUNDS) + 2
"""The count of the numbers."""
NOTHING = (0,) * SIZE


class Counts:
    """The counters of one process. Every call is only an addition, as it may delay an exit."""

    def __init__(self) -> None:
        self._numbers = [0] * len(SERIES)
        self._ticks = Histogram(TICK_BOUNDS)

    def numbers(self) -> tuple[int, ...]:
        """All numbers, in the order of SERIES, then the buckets of ticks and their microseconds."""
        return (*self._numbers, *self._ticks.counts, self._ticks.micros)

    def tick(self, result: TickResult, seconds: float) -> None:
        """Count a tick that took ``seconds``."""
        self._add("ticks", result)
        self._ticks.observe(seconds)

    def read_failed(self, call: Read) -> None:
        """Count a read that gave no usable answer."""
        self._add("read_errors", call)

    def order(self, mode: Mode, order: OrderRow) -> None:
        """Count an order that is booked for the first time, with what is known of it then."""
        self._add("orders", mode.value.lower(), order.side.value, _outcome(order))

    def order_unknown(self, side: Side) -> None:
        """Count an order whose answer did not state its outcome."""
        self._add("orders_unknown", side.value)

    def settled(self, order: OrderRow) -> None:
        """Count an order of unknown outcome that was decided, no matter which bot had sent it."""
        self._add("settlements", _outcome(order))

    def liquidation_attempt(self) -> None:
        """Count one attempt to sell an open position."""
        self._add("liquidation_attempts")

    def liquidation(self, result: LiquidationResult) -> None:
        """Count the end of all attempts at one position, by ``result``."""
        self._add("liquidations", result)

    def report_dropped(self) -> None:
        """Count a report that found the pipe full."""
        self._add("report_drops")

    def _add(self, name: str, *labels: str) -> None:
        place = (name, *labels)
        self._numbers[_AT[place]] += 1


def _outcome(order: OrderRow) -> Outcome:
    if order.state is OrderState.CONTESTED:
        return "contested"
    if order.fill.filled == 0:
        return "refused"
    return "filled" if order.fill.filled >= order.amount else "partly"
