"""The parameters of ``grid_v1``: the catalogue's three, and one of ours."""

from __future__ import annotations

from decimal import Decimal

from pydantic import BaseModel, Field, ValidationInfo, field_validator

from execsvc.strategies.budget import allocation_ratio
from execsvc.strategies.params import usable


class GridParams(BaseModel):
    """Parameters of ``grid_v1``; prices are in quote per base."""

    upper_price: Decimal = Field(
        gt=0,
        title="Upper price",
        description="the range's upper end: nothing is bought there",
    )
    lower_price: Decimal = Field(
        gt=0,
        title="Lower price",
        description="the range's lower end, and the lowest level",
    )
    grid_count: int = Field(
        default=10,
        ge=2,
        le=100,
        title="Levels",
        description="number of levels to buy at, from the lower price up; the spending is split evenly",
    )
    allocation_ratio: Decimal = allocation_ratio()

    @field_validator("upper_price", "lower_price", "allocation_ratio")
    @classmethod
    def _usable(cls, value: Decimal) -> Decimal:
        return usable(value)

    @field_validator("lower_price")
    @classmethod
    def _below_the_other(cls, value: Decimal, info: ValidationInfo) -> Decimal:
        above = info.data.get("upper_price")
        if above is not None and value >= above:
            raise ValueError(f"has to be below upper_price, which is {above:f}")
        return value
