"""The parameters of ``rsi_basic``: the catalogue's three, and two of ours."""

from __future__ import annotations

from decimal import Decimal

from pydantic import BaseModel, Field, ValidationInfo, field_validator

from execsvc.strategies.budget import allocation_ratio
from execsvc.strategies.params import usable


class RsiParams(BaseModel):
    """Parameters of ``rsi_basic``; thresholds are values of the RSI, 0 to 100."""

    period: int = Field(
        default=14, ge=1, le=1000, title="Period", description="candles that the RSI averages over"
    )
    buy_threshold: Decimal = Field(
        default=Decimal(30),
        ge=0,
        le=100,
        title="Buy threshold",
        description="buys when the RSI crosses this value upwards",
    )
    sell_threshold: Decimal = Field(
        default=Decimal(70),
        validate_default=True,
        ge=0,
        le=100,
        title="Sell threshold",
        description="sells all when the RSI crosses this value downwards",
    )
    candle_sec: int = Field(
        default=60,
        ge=1,
        le=86_400,
        title="Candle length",
        description="seconds of a candle; where ticks come less often, a candle lasts as long as a tick",
    )
    allocation_ratio: Decimal = allocation_ratio()

    @field_validator("buy_threshold", "sell_threshold", "allocation_ratio")
    @classmethod
    def _usable(cls, value: Decimal) -> Decimal:
        return usable(value)

    @field_validator("sell_threshold")
    @classmethod
    def _above_the_other(cls, value: Decimal, info: ValidationInfo) -> Decimal:
        below = info.data.get("buy_threshold")
        if below is not None and value <= below:
            raise ValueError(f"has to be above buy_threshold, which is {below:f}")
        return value
