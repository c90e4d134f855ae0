"""The quote that a strategy spends whose parameters do not state it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from pydantic import Field

from execsvc.model.market import Symbol
from execsvc.strategies.base import AnyContext


def allocation_ratio() -> Any:
    """The parameter that states it for a bot without ``account_allocation``."""
    return Field(
        default=Decimal("0.1"),
        gt=0,
        le=1,
        title="Allocation ratio",
        description="part of the free quote to spend, where the bot has no account_allocation",
    )


def budget(ctx: AnyContext, ratio: Decimal) -> Decimal:
    """Quote to spend in all: the bot's allocation, else ``ratio`` of the free quote.

    Raises Unavailable when the balance cannot be read.
    """
    if ctx.allocation is not None:
        return ctx.allocation
    return ctx.balance().free(Symbol.parse(ctx.symbol).quote) * ratio
