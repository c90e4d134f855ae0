"""The state of ``grid_v1``, kept from tick to tick and across restarts."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from execsvc.model.order import Side
from execsvc.strategies.grid_v1.params import GridParams


class Shape(NamedTuple):
    """The values that define the levels of a grid."""

    lower: Decimal
    upper: Decimal
    levels: int


def shape_of(params: GridParams) -> Shape:
    """The shape that ``params`` ask for."""
    return Shape(params.lower_price, params.upper_price, params.grid_count)


class SentOrder(BaseModel):
    """An order whose outcome has not been distributed to its levels yet.

    ``before`` is the bot's position before it, in base units: the outcome is read from the position
    afterwards, in any process.
    """

    model_config = ConfigDict(frozen=True)

    side: Side
    levels: tuple[int, ...]
    before: Decimal


class GridState(BaseModel):
    """The state that survives a restart; it changes when the price crosses a line, and with an
    order.
    """

    shape: Shape | None = None
    """The shape of the grid that the other members are about; None before the first tick."""
    budget: Decimal | None = None
    """Quote for all levels together, of a bot that has no allocation."""
    below: int = 0
    """The number of lines below the price at the last tick."""
    held: dict[int, Decimal] = {}
    """Base units that were bought at each level and are to be sold one level higher."""
    order: SentOrder | None = None
