"""The answer of an exchange to the amount of one order."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from execsvc.model.order import Side
from execsvc.model.refusal import Refusal


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
