"""Wilder's Relative Strength Index (New Concepts in Technical Trading Systems, 1978). Pure.

The first averages are the plain means of the gains and of the losses of ``period`` closes against
the close before each; from then on each close counts for 1/period of the average:
``average = (average * (period - 1) + newest) / period``. ``RSI = 100 * gain / (gain + loss)``, which is
``100 - 100 / (1 + gain / loss)`` without its division by zero.
"""

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
