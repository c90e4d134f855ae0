"""The two sources of a market: a synthetic one and a recording.

The synthetic market is calm, then has one-sided pressure, its absorption, and the way back. The same
seed gives the same market, independent of its readers.
"""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from execsvc.model.market import Depth, Level, Trade, round_down
from execsvc.recording.files import Recording
from execsvc.recording.tape import Tape
from execsvc.sandbox.instruments import Instrument

STEP_MS = 200
LEVELS = 50
_KEPT_TRADES = 1000
_HISTORY_STEPS = 600
_LONGEST_CATCH_UP = 20_000
_SPREAD = 0.0002
_HOMEWARD = 0.002


class _Phase(NamedTuple):
    """The behaviour of the market for some steps; rates are for one step."""

    steps: int
    drift: float = 0.0
    noise: float = 0.0
    spread: float = 1.0
    buys: float = 0.5
    trades: float = 0.7
    value: float = 400.0


def _phases(rng: random.Random) -> Iterator[_Phase]:
    while True:
        side = rng.choice((1, -1))
        toward, against = 0.5 + 0.45 * side, 0.5 - 0.3 * side
        yield _Phase(rng.randint(100, 250), noise=0.00004)
        yield _Phase(25, drift=side * 0.0003, spread=4.0, buys=toward, trades=3.0, value=1500.0)
        yield _Phase(60, drift=-side * 0.000004, buys=against, trades=1.5, value=900.0)
        yield _Phase(75, drift=-side * 0.00008, noise=0.00002, buys=against)


class SyntheticFeed:
    """One symbol's market as a function of time (ms since the epoch). Its owner locks."""

    def __init__(self, instrument: Instrument, seed: int, now_ms: int) -> None:
        self._instrument = instrument
        self._name = f"{seed}/{instrument.symbol}"
        self._rng = random.Random(self._name)
        self._phases = _phases(self._rng)
        self._phase = next(self._phases)
        self._left = self._phase.steps
        self._mid = float(instrument.start)
        self._origin = now_ms - _HISTORY_STEPS * STEP_MS
        self._step = 0
        self._trades: deque[Trade] = deque(maxlen=_KEPT_TRADES)
        self._book: Depth | None = None
        self.advance(now_ms)

    def advance(self, now_ms: int) -> None:
        """Let the market run until ``now_ms``; beyond an hour without a reader, the time is left
        out.
        """
        wanted = (now_ms - self._origin) // STEP_MS
        if wanted - self._step > _LONGEST_CATCH_UP:
            self._origin += (wanted - self._step - _LONGEST_CATCH_UP) * STEP_MS
            wanted = self._step + _LONGEST_CATCH_UP
        while self._step < wanted:
            self._step += 1
            self._book = None
            self._next()

    def depth(self) -> Depth:
        """The book as it is now, 50 levels a side."""
        if self._book is None:
            self._book = self._draw_book()
        return self._book

    def price(self) -> Decimal:
        """The mid price, on the tick grid."""
        return self._on_grid(self._mid)

    def trades(self) -> list[Trade]:
        """The last thousand trades, oldest first."""
        return list(self._trades)

    def _next(self) -> None:
        if self._left == 0:
            self._phase = next(self._phases)
            self._left = self._phase.steps
        self._left -= 1
        phase = self._phase
        change = phase.drift + (self._rng.gauss(0, phase.noise) if phase.noise else 0.0)
        if phase.noise and not phase.drift:
            change += _HOMEWARD * math.log(float(self._instrument.start) / self._mid)
        self._mid *= 1 + change
        count = int(phase.trades + self._rng.random())
        for number in range(count):
            self._trades.append(self._draw_trade(number / count))

    def _draw_trade(self, place: float) -> Trade:
        buys = self._rng.random() < self._phase.buys
        price = self._touch(1 if buys else -1)
        value = self._phase.value * (0.5 + self._rng.random())
        return Trade(
            timestamp=self._origin + (self._step - 1) * STEP_MS + int(place * STEP_MS),
            price=price,
            amount=self._units(value),
            side="buy" if buys else "sell",
        )

    def _draw_book(self) -> Depth:
        rng = random.Random(f"{self._name}/{self._step}")
        return Depth(
            symbol=self._instrument.symbol,
            timestamp=self._origin + self._step * STEP_MS,
            bids=self._levels(rng, -1),
            asks=self._levels(rng, 1),
        )

    def _levels(self, rng: random.Random, sign: int) -> tuple[Level, ...]:
        price, levels = self._touch(sign), []
        for number in range(LEVELS):
            levels.append(Level(price, self._units((800 + 250 * number) * (0.5 + rng.random()))))
            gap = self._on_grid(self._mid * 0.00008 * (0.5 + rng.random()))
            price += sign * max(gap, self._instrument.tick)
        return tuple(levels)

    def _touch(self, sign: int) -> Decimal:
        """The best price on the side that faces a taker of ``sign``, a tick off the mid at least."""
        half = self._on_grid(self._mid * _SPREAD / 2 * self._phase.spread)
        return self._on_grid(self._mid) + sign * max(half, self._instrument.tick)

    def _units(self, value: float) -> Decimal:
        decimals = self._instrument.amount_decimals
        units = round_down(Decimal(value / self._mid), decimals)
        return max(units, Decimal(1).scaleb(-decimals))

    def _on_grid(self, price: float) -> Decimal:
        return round_down(Decimal(price), self._instrument.price_decimals)


class RecordedFeed:
    """Plays a recording at ``speed`` times its pace; at its end the market stands still.

    Its owner locks. Times are ms since the epoch, of our own clock.
    """

    def __init__(self, recording: Recording, speed: float) -> None:
        self._tape = Tape(recording)
        self._speed = speed
        self._origin: int | None = None
        self._now = 0

    def advance(self, now_ms: int) -> None:
        """Let the market run until ``now_ms``; the first call starts it."""
        if self._origin is None:
            self._origin = now_ms
        self._now = now_ms
        self._tape.play(self._tape.start + int((now_ms - self._origin) * self._speed))

    def depth(self, symbol: str) -> Depth:
        """The book as it is now, stamped with our own time."""
        return self._tape.depth(symbol, self._now)

    def trades(self) -> list[Trade]:
        """The last thousand trades, oldest first, stamped as if they happened at our time."""
        return [
            trade.model_copy(update={"timestamp": self._stamp(trade.timestamp or 0)})
            for trade in self._tape.trades()
        ]

    def _stamp(self, recorded: int) -> int:
        assert self._origin is not None, "the market runs"
        return self._origin + int((recorded - self._tape.start) / self._speed)
