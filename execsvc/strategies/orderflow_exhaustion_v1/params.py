"""The parameters of the strategy, as the catalogue publishes them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from pydantic import BaseModel, Field


def _number(low: str, high: str | None, default: str, title: str, description: str) -> Any:
    return Field(
        default=Decimal(default),
        ge=Decimal(low),
        le=None if high is None else Decimal(high),
        title=title,
        description=description,
    )


def _count(low: int, high: int, default: int, title: str, description: str) -> Any:
    return Field(default=default, ge=low, le=high, title=title, description=description)


class OrderflowParams(BaseModel):
    """Parameters of ``orderflow_exhaustion_v1``; ``pct`` is a part, so that 0.003 is 0.3 %."""

    depth_limit: int = _count(5, 200, 50, "Depth limit", "book levels asked for, each side")
    trades_limit: int = _count(20, 1000, 200, "Trades limit", "public trades asked for")
    trades_lookback_sec: int = Field(
        default=10,
        ge=3,
        le=60,
        title="Trades lookback",
        description="seconds over which taker volume is summed",
    )
    delta_ratio_threshold: Decimal = _number(
        "1.2", "10", "2.5", "Delta ratio", "one side's taker volume over the other's: pressure"
    )
    min_total_quote_volume: Decimal = _number(
        "0", None, "50", "Least volume", "quote volume in the window, below it there is no signal"
    )
    spread_expand_ratio_threshold: Decimal = _number(
        "1", "10", "1.5", "Spread expansion", "spread over its average that counts as expanded"
    )
    sweep_move_pct_threshold: Decimal = _number(
        "0", "0.05", "0.001", "Sweep move", "move of the mid in one tick that counts as a jump"
    )
    pressure_signals_required: int = _count(
        1, 3, 3, "Signals required", "how many of imbalance, spread and jump make pressure"
    )
    confirm_absorption_ticks: int = _count(
        1, 10, 2, "Absorption ticks", "absorbed ticks that make an entry"
    )
    confirm_timeout_sec: int = Field(
        default=120,
        ge=5,
        le=300,
        title="Confirmation time-out",
        description="seconds after which pressure that was not absorbed is forgotten",
    )
    buy_allocation_ratio: Decimal = _number(
        "0.01", "1", "0.1", "Buy allocation", "part of the free quote spent on a BUY entry"
    )
    sell_allocation_ratio: Decimal = _number(
        "0.01", "1", "0.1", "Sell allocation", "part of the user's free base sold on a SELL entry"
    )
    quantity_precision: int = _count(
        0, 12, 5, "Quantity precision", "decimals of an amount, always rounded down"
    )
    take_profit_pct: Decimal = _number(
        "0", "0.1", "0.003", "Take profit", "gain that closes a position; 0 turns it off"
    )
    stop_loss_pct: Decimal = _number(
        "0", "0.1", "0.004", "Stop loss", "hard stop, as a part of the entry price"
    )
    stop_buffer_pct: Decimal = _number(
        "0", "0.05", "0.001", "Stop buffer", "hard stop, beyond the extreme of the sweep"
    )
    soft_stop_loss_pct: Decimal = _number(
        "0", "0.1", "0.002", "Soft stop loss", "loss that closes while the flow is against; 0: off"
    )
    soft_take_profit_pct: Decimal = _number(
        "0", "0.1", "0.0025", "Soft take profit", "gain that closes while the flow turns; 0: off"
    )
    soft_confirm_ticks: int = _count(
        1, 10, 2, "Soft confirmation", "ticks in a row that a soft rule has to hold"
    )
    time_stop_sec: int = Field(
        default=180,
        ge=10,
        le=3600,
        title="Time stop",
        description="seconds after which a position is closed",
    )
    cooldown_sec: int = Field(
        default=120,
        ge=0,
        le=3600,
        title="Cooldown",
        description="seconds without a new signal after an exit or a failed entry",
    )
    spread_ema_alpha: Decimal = _number(
        "0.01", "1", "0.2", "Spread weight", "weight of the newest spread in its average"
    )
    spread_normalized_max_ratio: Decimal = _number(
        "1", "5", "1.2", "Normal spread", "spread over its average that counts as normal again"
    )
