"""Facts about one bot that are derived from its kept orders and reads."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from execsvc.clock import Moment


class Unfilled(NamedTuple):
    """The entries in a row, up to the last one, of which nothing was filled."""

    number: int = 0
    last_order: str | None = None
    ended_at: datetime | None = None
    """When the outcome of the last one was known."""
    ended: Moment | None = None
    """The same by both clocks."""


class Missing(NamedTuple):
    """Coins that are missing ``since`` then; ``counted`` seconds of that count, up to the read ``seen``."""

    since: datetime
    counted: float
    seen: Moment


class Today(NamedTuple):
    """What was realised on a day, in quote; ``seen`` is the last order that was looked at."""

    realised: Decimal
    seen: int
