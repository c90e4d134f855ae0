"""The terms on which an exchange takes an order: fees, limits, step, and its words of refusal."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from typing import NamedTuple

from execsvc.errors import OrderRefused
from execsvc.model.market import DEFAULT_DECIMALS, ZERO, Limits, plain, round_down
from execsvc.model.order import Side

USUAL_FEE_RATE = Decimal("0.001")


class Fault(Enum):
    """The reasons for which an exchange does not take an order."""

    BALANCE = "balance"
    STEP = "step"
    AMOUNT_TOO_SMALL = "amount too small"
    AMOUNT_TOO_LARGE = "amount too large"
    WORTH_TOO_SMALL = "worth too small"
    WORTH_TOO_LARGE = "worth too large"


INSUFFICIENT = "Account has insufficient balance for requested action."
WORDS: Mapping[Fault, str] = {
    Fault.BALANCE: INSUFFICIENT,
    Fault.STEP: "Filter failure: LOT_SIZE",
    Fault.AMOUNT_TOO_SMALL: "Filter failure: LOT_SIZE",
    Fault.AMOUNT_TOO_LARGE: "Filter failure: MARKET_LOT_SIZE",
    Fault.WORTH_TOO_SMALL: "Filter failure: NOTIONAL",
    Fault.WORTH_TOO_LARGE: "Filter failure: NOTIONAL",
}
"""The words of Binance; some of them are for two faults."""


class NotTaken(OrderRefused):
    """An order that the paper exchange does not take, for a ``fault`` of it."""

    def __init__(self, fault: Fault, detail: str) -> None:
        self.fault = fault
        super().__init__(f"{WORDS[fault]} ({detail})")


class FeeAsset(str, Enum):
    """The asset that pays the fee."""

    RECEIVED = "received"
    """The asset that the order brings in: base on a buy, quote on a sell."""
    QUOTE = "quote"


class Terms(NamedTuple):
    """The terms of one market. ``fee_rate`` is a part of the order, not a percentage.

    ``decimals`` is the quantity step; None where it follows from the limits. The two maxima of an
    order are in base units and in quote; None where there is none.
    """

    limits: Limits = Limits()
    decimals: int | None = None
    fee_rate: Decimal = USUAL_FEE_RATE
    fee_asset: FeeAsset = FeeAsset.RECEIVED
    max_amount: Decimal | None = None
    max_notional: Decimal | None = None

    @property
    def step_decimals(self) -> int:
        """Decimals that an amount may have."""
        return self.limits.decimals if self.decimals is None else self.decimals


class Fees(NamedTuple):
    """The fees of a fill, in base units and in quote."""

    base: Decimal
    quote: Decimal


def check(terms: Terms, amount: Decimal, price: Decimal) -> None:
    """Refuse an order of ``amount`` base units at ``price`` that the exchange would not take.

    Raises NotTaken for too many decimals, and for an amount or a worth that is too small or too
    large.
    """
    decimals, smallest = terms.step_decimals, terms.limits.min_amount
    if round_down(amount, decimals) != amount or amount <= 0:
        raise NotTaken(Fault.STEP, f"{plain(amount)} has more than {decimals} decimals")
    if smallest is not None and amount < smallest:
        raise NotTaken(Fault.AMOUNT_TOO_SMALL, f"{plain(amount)} is less than {plain(smallest)}")
    if terms.max_amount is not None and amount > terms.max_amount:
        raise NotTaken(
            Fault.AMOUNT_TOO_LARGE, f"{plain(amount)} is more than {plain(terms.max_amount)}"
        )
    if terms.limits.refuses(amount, price):
        raise NotTaken(Fault.WORTH_TOO_SMALL, f"{plain(amount)} at {plain(price)}")
    if terms.max_notional is not None and amount * price > terms.max_notional:
        raise NotTaken(Fault.WORTH_TOO_LARGE, f"{plain(amount)} at {plain(price)}")


def fees(terms: Terms, side: Side, filled: Decimal, cost: Decimal) -> Fees:
    """The fee of a fill; fractions of the eighth decimal are not charged."""
    if side is Side.BUY and terms.fee_asset is FeeAsset.RECEIVED:
        return Fees(round_down(filled * terms.fee_rate, DEFAULT_DECIMALS), ZERO)
    return Fees(ZERO, round_down(cost * terms.fee_rate, DEFAULT_DECIMALS))
