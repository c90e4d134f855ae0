"""Wilder's Relative Strength Index (New Concepts in Technical Trading Systems, 1978). Pure."""

from __future__ import annotations

from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from execsvc.model.market import ZERO

_STEP = Decimal("1e-10")
"""Decimals of the index: averages lose more than that in their last digit, which is no crossing."""
NEUTRAL = Decimal(50)
"""The RSI of a market that has not moved at all."""


class Averages(BaseModel):
    """Averages of gains and losses in quote per candle; sums, until ``period`` changes are in."""

    model_config = ConfigDict(frozen=True)

    changes: int = 0
    gain: Decimal = ZERO
    loss: Decimal = ZERO

    def after(self, change: Decimal, period: int) -> Averages:
        """These averages once another candle has closed ``change`` quote above the one before."""
        changes = min(self.changes + 1, period)
        gain, loss = max(change, ZERO), max(-change, ZERO)
        if self.changes < period:
            gain, loss = self.gain + gain, self.loss + loss
            if changes == period:
                gain, loss = gain / period, loss / period
        else:
            gain = (self.gain * (period - 1) + gain) / period
            loss = (self.loss * (period - 1) + loss) / period
        return Averages(changes=changes, gain=gain, loss=loss)

    def rsi(self, period: int) -> Decimal | None:
        """The index, 0 to 100; None while there are fewer than ``period`` changes."""
        if self.changes < period:
            return None
        both = self.gain + self.loss
        return (100 * self.gain / both).quantize(_STEP) if both else NEUTRAL


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
