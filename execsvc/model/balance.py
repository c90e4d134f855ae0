"""The balance of an account, and the reading of one with odd rows."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from execsvc.errors import Unavailable
from execsvc.model.market import ZERO, Number, Quantity, exact_sum
from execsvc.model.validation import first_fault

_NEGATIVE_REST = Decimal("1e-6")
"""The largest amount below zero, in units of the asset, that counts as a rounding rest of the
exchange.
"""


def _without_rest(number: Decimal) -> Decimal:
    """``number``, zero for a negative rounding rest. Raises ValueError for less than that."""
    if number >= 0:
        return number
    if number < -_NEGATIVE_REST:
        raise ValueError("Input should be greater than or equal to 0")
    return ZERO


Free = Annotated[Number, AfterValidator(_without_rest)]


class Holding(BaseModel):
    """An account's holding of one asset, in its own units; ``locked`` None: the service does not
    say.
    """

    model_config = ConfigDict(frozen=True)

    asset: str
    free: Free
    locked: Quantity | None = None

    @property
    def total(self) -> Decimal | None:
        """Free and locked together; None while the locked part is not known."""
        return None if self.locked is None else self.free + self.locked


class Balance(BaseModel):
    """The holdings of an account.

    An asset that is not listed is zero; no asset at all is no answer.

    Rows are judged when their asset is asked for, so that an odd row of an asset in which nothing
    is traded has no effect. An asset that is listed more than once is summed.
    """

    model_config = ConfigDict(frozen=True)

    assets: tuple[Any, ...] = Field(min_length=1)
    """The rows as they came: mappings, or :class:`Holding`."""

    @model_validator(mode="after")
    def _names_an_asset(self) -> Balance:
        if all(_named(row) is None for row in self.assets):
            raise ValueError("assets: no row names an asset")
        return self

    def holding(self, asset: str) -> Holding:
        """The holding of ``asset``; zero when it is not listed.

        Raises Unavailable when a row of ``asset`` cannot be read.
        """
        found = [_holding(asset, row) for row in self.assets if _named(row) == asset]
        if len(found) == 1:
            return found[0]
        locked = [row.locked for row in found if row.locked is not None]
        return Holding(
            asset=asset,
            free=exact_sum(*(row.free for row in found)),
            locked=exact_sum(*locked) if len(locked) == len(found) else None,
        )

    def free(self, asset: str) -> Decimal:
        """The part of ``asset`` that can be traded now. Raises Unavailable as :meth:`holding` does."""
        return self.holding(asset).free

    def namesake(self, asset: str) -> str | None:
        """An asset that is listed while ``asset`` is not, and differs from it in spelling alone.

        Spelling is the case, and a settlement currency behind a colon (``USDT:USDT``). None when
        there is none.
        """
        listed = [name for row in self.assets if (name := _named(row)) is not None]
        if asset in listed:
            return None
        return next((name for name in listed if _spelling(name) == _spelling(asset)), None)


def _spelling(asset: str) -> str:
    return asset.split(":", maxsplit=1)[0].casefold()


def _named(row: Any) -> str | None:
    """The asset that ``row`` of a balance is about; None when it has no name."""
    if isinstance(row, Holding):
        return row.asset
    asset = row.get("asset") if isinstance(row, dict) else None
    return asset if isinstance(asset, str) else None


def _holding(asset: str, row: Any) -> Holding:
    """One row of a balance. Raises Unavailable that names the asset and the member at fault."""
    if isinstance(row, Holding):
        return row
    try:
        return Holding.model_validate(row)
    except ValidationError as error:
        member, reason = first_fault(error)
        raise Unavailable(f"GET /balance: balance of {asset}: {member}: {reason}") from None
