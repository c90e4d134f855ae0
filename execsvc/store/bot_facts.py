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
    """The time at which the outcome of the last one was known."""
    ended: Moment | None = None
    """The same time by both clocks."""


class Missing(NamedTuple):
    """Coins missing ``since`` then; ``counted``: the seconds of it that count, until the read ``seen``."""

    since: datetime
    counted: float
    seen: Moment


class Today(NamedTuple):
    """The result realised on a day, in quote; ``seen`` is the last order that was read."""

    realised: Decimal
    seen: int
