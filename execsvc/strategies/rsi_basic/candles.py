"""Candles of even length, made of the prices that a bot sees, and the RSI of those closed.

A candle closes at the first price that is seen at or after its end. So nothing is kept of a candle
under way: the state that another process of the bot needs changes only when a candle closes. Pure.
"""

from __future__ import annotations

from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from execsvc.model.market import ZERO
from execsvc.strategies.rsi_basic.indicator import Averages


class Candles(BaseModel):
    """The closed candles, as far as the RSI needs them.

    ``number`` counts candles of ``length`` seconds since 1970, and is that of the candle under way;
    ``close`` is the price at which the one before closed. ``rsi`` is the index of ``period`` candles
    at that close, ``before`` at the close before; None where there were too few.
    """

    model_config = ConfigDict(frozen=True)

    period: int
    length: float
    number: int
    close: Decimal
    averages: Averages = Averages()
    rsi: Decimal | None = None
    before: Decimal | None = None

    def fits(self, period: int, length: float, number: int) -> bool:
        """True when these candles can go on with the candle ``number``.

        They cannot with other parameters, when time went back, or after a gap of more than ``period``
        candles: an average of prices from before would call the move over the gap one candle's.
        """
        missing = number - self.number - 1
        return (self.period, self.length) == (period, length) and -1 <= missing <= period

    def closed(self, number: int, price: Decimal) -> Candles:
        """These candles once the one under way has closed at ``price``, and ``number`` is under
        way.

        Candles in between, in which no price was seen, come first and are flat: they leave the
        index as it is, so that the move is one of the last candle and no crossing is lost.
        """
        averages, before = self.averages, self.rsi
        for _ in range(number - self.number - 1):
            averages = averages.after(ZERO, self.period)
            before = averages.rsi(self.period)
        averages = averages.after(price - self.close, self.period)
        return self.model_copy(
            update={
                "number": number,
                "close": price,
                "averages": averages,
                "rsi": averages.rsi(self.period),
                "before": before,
            }
        )

    def crossed_up(self, threshold: Decimal) -> bool:
        """True when the RSI crossed ``threshold`` upwards with the last close."""
        return (
            self.rsi is not None and self.before is not None and self.before <= threshold < self.rsi
        )

    def crossed_down(self, threshold: Decimal) -> bool:
        """True when the RSI crossed ``threshold`` downwards with the last close."""
        return (
            self.rsi is not None and self.before is not None and self.before >= threshold > self.rsi
        )
