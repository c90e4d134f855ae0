"""The state of ``rsi_basic``, kept from tick to tick and across restarts."""

from __future__ import annotations

from pydantic import BaseModel

from execsvc.model.order import Side
from execsvc.strategies.rsi_basic.candles import Candles


class RsiState(BaseModel):
    """The state that survives a restart; it changes once a candle, and with an order."""

    candles: Candles | None = None
    signal: Side | None = None
    """The order that a crossing has asked for and that is not done yet.

    BUY stands until the next candle closes, SELL until the bot is flat.
    """
