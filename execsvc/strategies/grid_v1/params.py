"""What ``grid_v1`` can be told: the catalogue's three parameters, and one of ours."""

from __future__ import annotations

from decimal import Decimal

from pydantic import BaseModel, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from execsvc.strategies.budget import MOST_DECIMALS, allocation_ratio

MOST_DIGITS = 36
"""A price of a form has far fewer; a number such as 1e999999999 is ruinous to write out."""


class GridParams(BaseModel):
    """Parameters of ``grid_v1``; prices are in quote per base."""

    upper_price: Decimal = Field(
        gt=0,
        max_digits=MOST_DIGITS,
        decimal_places=MOST_DECIMALS,
        title="Upper price",
        description="the range's upper end: nothing is bought there",
    )
    lower_price: Decimal = Field(
        gt=0,
        max_digits=MOST_DIGITS,
        decimal_places=MOST_DECIMALS,
        title="Lower price",
        description="the range's lower end, and the lowest level",
    )
    grid_count: int = Field(
        default=10,
        ge=2,
        le=100,
        title="Levels",
        description="how many levels to buy at, from the lower price up; the spending is split evenly",
    )
    allocation_ratio: Decimal = allocation_ratio()

    @field_validator("lower_price")
    @classmethod
    def _below_the_other(cls, value: Decimal, info: ValidationInfo) -> Decimal:
        above = info.data.get("upper_price")
        if above is not None and value >= above:
            raise PydanticCustomError(
                "price_order", "must be below upper_price, which is {above}", {"above": str(above)}
            )
        return value
