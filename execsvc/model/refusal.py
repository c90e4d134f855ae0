"""The meaning of an exchange's refusal, independent of its text."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import NamedTuple

from execsvc.model.order import Side


class Refusal(str, Enum):
    """The meaning of a refused order. The values are kept in ledgers."""

    BALANCE = "balance"
    """The account has less free than the order costs."""
    STEP = "step"
    """The amount has more decimals than the market's step."""
    TOO_LARGE = "too_large"
    """The amount, or its worth, is above a maximum."""
    TOO_SMALL = "too_small"
    """The amount, or its worth, is below a minimum."""
    SIZE = "size"
    """The amount has too many decimals, or is above a maximum, or below a minimum: one member for all."""
    WORTH = "worth"
    """The order is worth too little or too much: one member for both."""
    PRICE = "price"
    """The price is outside of a band, or has too many decimals."""
    SYMBOL = "symbol"
    """The market does not exist, or does not trade."""
    KEY = "key"
    """The key is unknown or revoked, or may not trade."""

    @property
    def is_of_size(self) -> bool:
        """True when another amount may be taken at once."""
        return self in _OF_SIZE

    @property
    def is_learnt(self) -> bool:
        """True when the refusal limits the amounts of later orders."""
        return self in _LEARNT


_OF_SIZE = frozenset({Refusal.STEP, Refusal.TOO_LARGE, Refusal.SIZE, Refusal.WORTH})
_LEARNT = _OF_SIZE | {Refusal.TOO_SMALL, Refusal.BALANCE}


class SizeAnswer(NamedTuple):
    """An ``amount`` in base units that was taken (``refusal`` is None) or refused.

    ``price`` is the ticker price when the order was sent; None when there was none.
    """

    client_order_id: str
    side: Side
    amount: Decimal
    price: Decimal | None
    refusal: Refusal | None
    at: datetime
