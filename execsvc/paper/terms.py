"""On what terms an exchange takes an order: fees, limits, step, and its words of refusal."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import NamedTuple

from execsvc.errors import NotionalRefused, StepRefused
from execsvc.model.market import DEFAULT_DECIMALS, ZERO, Limits, plain, round_down
from execsvc.model.order import Side

INSUFFICIENT = "Account has insufficient balance for requested action."
LOT_SIZE = "Filter failure: LOT_SIZE"
NOTIONAL = "Filter failure: NOTIONAL"
USUAL_FEE_RATE = Decimal("0.001")


class FeeAsset(str, Enum):
    """Which asset pays the fee."""

    RECEIVED = "received"
    """What the order brings in: base on a buy, quote on a sell."""
    QUOTE = "quote"


class Terms(NamedTuple):
    """The terms of one market. ``fee_rate`` is a part of the order, not a percentage.

    ``decimals`` is the quantity step; None where it follows from the limits.
    """

    limits: Limits = Limits()
    decimals: int | None = None
    fee_rate: Decimal = USUAL_FEE_RATE
    fee_asset: FeeAsset = FeeAsset.RECEIVED

    @property
    def step_decimals(self) -> int:
        """Decimals that an amount may have."""
        return self.limits.decimals if self.decimals is None else self.decimals


class Fees(NamedTuple):
    """What a fill costs in fees, in base units and in quote."""

    base: Decimal
    quote: Decimal


def check(terms: Terms, amount: Decimal, price: Decimal) -> None:
    """Refuse an order of ``amount`` base units at ``price`` that the exchange would not take.

    Raises StepRefused for too many decimals and, as exchanges do, for less than ``min_amount``;
    NotionalRefused for too little worth.
    """
    decimals, smallest = terms.step_decimals, terms.limits.min_amount
    if round_down(amount, decimals) != amount or amount <= 0:
        raise StepRefused(f"{LOT_SIZE} ({plain(amount)} has more than {decimals} decimals)")
    if smallest is not None and amount < smallest:
        raise StepRefused(f"{LOT_SIZE} ({plain(amount)} is less than {plain(smallest)})")
    if terms.limits.refuses(amount, price):
        raise NotionalRefused(f"{NOTIONAL} ({plain(amount)} at {plain(price)})")


def fees(terms: Terms, side: Side, filled: Decimal, cost: Decimal) -> Fees:
    """The fee of a fill; fractions of the eighth decimal are not charged."""
    if side is Side.BUY and terms.fee_asset is FeeAsset.RECEIVED:
        return Fees(round_down(filled * terms.fee_rate, DEFAULT_DECIMALS), ZERO)
    return Fees(ZERO, round_down(cost * terms.fee_rate, DEFAULT_DECIMALS))
