"""A recording as the sandbox's market: the same for every symbol, from its start on."""

from __future__ import annotations

from execsvc.model.market import Depth, Trade
from execsvc.recording.files import Recording
from execsvc.recording.tape import Tape


class Recorded:
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
