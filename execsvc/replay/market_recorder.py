"""Records a live market through the adapter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta

from execsvc.clients.exchange_adapter import ExchangeAdapter
from execsvc.clock import monotonic, now
from execsvc.errors import Unavailable
from execsvc.model.market import Trade
from execsvc.model.stamps import EPOCH, latest_believed
from execsvc.recording.writer import DayWriter
from execsvc.repeats import Repeats

LEVELS = 20
TRADES = 1000
_FLUSH_EVERY = 10.0


class MarketRecorder:
    """Reads one market again and again, and writes what is new."""

    def __init__(
        self,
        adapter: ExchangeAdapter,
        symbol: str,
        writer: DayWriter,
        say: Callable[[str], None],
    ) -> None:
        self._adapter = adapter
        self._symbol = symbol
        self._writer = writer
        self._say = say
        self._seen: Counter[Trade] = Counter()
        self._repeats = Repeats()
        self._flushed_at = monotonic()

    def read_once(self) -> None:
        """Read book and trades once; an error is logged, once a minute, and the next read goes on."""
        try:
            depth = self._adapter.depth(self._symbol, LEVELS)
            trades = self._adapter.trades(self._symbol, TRADES)
        except Unavailable as error:
            text = str(error)
            count = self._repeats.note(text.split(":", maxsplit=1)[0], monotonic())
            if count is not None:
                self._say(text if count == 1 else f"{text} ({count} times)")
            return
        latest = latest_believed(now())
        if self._writer.books:
            for trade in self._new(trades):
                # One wrong stamp in the future would block all later lines: a recording never goes back.
                if trade.timestamp is not None and trade.timestamp <= latest:
                    self._writer.trade(trade)
        else:
            self._new(trades)  # trades before the first book belong to no recording
        stamp = depth.timestamp
        if stamp is None or stamp > latest:
            stamp = (now() - EPOCH) // timedelta(milliseconds=1)
        self._writer.book(stamp, depth)
        if monotonic() - self._flushed_at >= _FLUSH_EVERY:
            self._writer.flush()
            self._flushed_at = monotonic()

    def _new(self, trades: Sequence[Trade]) -> list[Trade]:
        """The trades that the last read did not show. Two trades may be equal, so they are counted."""
        left, self._seen = self._seen, Counter(trades)
        new: list[Trade] = []
        for trade in trades:
            if left[trade] > 0:
                left[trade] -= 1
            else:
                new.append(trade)
        return new
