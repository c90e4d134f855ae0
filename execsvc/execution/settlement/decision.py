"""The outcome of an order by two balances, where it is unknown. Pure; CONTRACTS section 2."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum

from pydantic import BaseModel, ConfigDict

from execsvc.model.market import (
    DEFAULT_DECIMALS,
    LARGEST,
    SMALLEST,
    ZERO,
    exact_sum,
    round_down,
)
from execsvc.model.order import LARGEST_BASE_FEE, Fill, Intent, Side

QUOTE_TOLERANCE = Decimal("0.02")
"""The largest part by which the quote that moved may deviate from amount times price."""
_NOISE = Decimal("1e-6")
"""The part of an order by which the floats on the wire may be off."""
_LEAST_NOISE = Decimal("1e-9")
_TINY_NOISE = Decimal("1e-3")
"""The part of an order that noise never exceeds, however small the order is."""
_FLOAT_STEP = Decimal("1e-15")
"""The part of a balance by which two neighbouring floats differ, and more."""


class SettlementFinding(str, Enum):
    """The outcome of an order, as far as the balances show it."""

    FULL = "FULL"
    PARTLY = "PARTLY"
    NONE = "NONE"
    CONTESTED = "CONTESTED"


class SettlementDecision(BaseModel):
    """A finding, and the fill to book for it."""

    model_config = ConfigDict(frozen=True)

    finding: SettlementFinding
    fill: Fill


def decide(
    intent: Intent, base: Decimal, quote: Decimal, at_least: Decimal = ZERO
) -> SettlementDecision:
    """Decide by free ``base`` and ``quote`` of the account now, against the intent's baseline.

    ``at_least`` is what the exchange said was filled so far, in base units.
    """
    moved, paid = movement(intent, base, quote)
    noise = base_noise(intent)
    if abs(moved) <= noise and abs(paid) <= quote_noise(intent) and at_least == 0:
        return SettlementDecision(finding=SettlementFinding.NONE, fill=Fill(filled=ZERO))
    least_full = _least_arriving(intent.side, intent.amount)
    if least_full - noise <= moved <= intent.amount + noise and _paid_fits(
        intent, intent.amount, intent.amount, paid
    ):
        return SettlementDecision(
            finding=SettlementFinding.FULL, fill=_fill(intent, intent.amount, moved, paid)
        )
    largest = moved / (1 - LARGEST_BASE_FEE) if intent.side is Side.BUY else moved
    if (
        noise < moved < intent.amount
        and _paid_fits(intent, moved, largest, paid)
        and _least_arriving(intent.side, at_least) <= moved + noise
    ):
        return SettlementDecision(
            finding=SettlementFinding.PARTLY, fill=_fill(intent, moved, moved, paid)
        )
    return contested(intent, base, quote)


def contested(intent: Intent, base: Decimal, quote: Decimal) -> SettlementDecision:
    """The decision when the account also moved by other trades: no coin of others can be sold under
    it.
    """
    return SettlementDecision(
        finding=SettlementFinding.CONTESTED, fill=_safe(intent, *movement(intent, base, quote))
    )


def base_noise(intent: Intent) -> Decimal:
    """Base units by which a balance may be off without a meaning."""
    least = min(_LEAST_NOISE, intent.amount * _TINY_NOISE)
    return max(least, intent.amount * _NOISE, intent.baseline_base * _FLOAT_STEP)


def quote_noise(intent: Intent) -> Decimal:
    """As :func:`base_noise`, in quote."""
    least = min(_LEAST_NOISE, intent.amount * _TINY_NOISE)
    worth = max(least, intent.amount * _NOISE) * (intent.price or 1)
    return max(worth, intent.baseline_quote * _FLOAT_STEP)


def movement(intent: Intent, base: Decimal, quote: Decimal) -> tuple[Decimal, Decimal]:
    """Base that came in and quote that went out since the baseline; a sell's the other way round."""
    moved = exact_sum(base, -intent.baseline_base) * intent.side.sign
    paid = exact_sum(intent.baseline_quote, -quote) * intent.side.sign
    return moved, paid


def _least_arriving(side: Side, filled: Decimal) -> Decimal:
    return filled * (1 - LARGEST_BASE_FEE) if side is Side.BUY else filled


def _paid_fits(intent: Intent, least: Decimal, most: Decimal, paid: Decimal) -> bool:
    if intent.price is None:
        return paid > 0
    low = least * intent.price * (1 - QUOTE_TOLERANCE)
    high = most * intent.price * (1 + QUOTE_TOLERANCE)
    return low <= paid <= high


def _fill(intent: Intent, filled: Decimal, moved: Decimal, paid: Decimal) -> Fill:
    fee = max(exact_sum(filled, -moved), ZERO) if intent.side is Side.BUY else ZERO
    average = paid / filled
    # Without a ticker any quote fits, and a price that no model takes must not end settlement.
    believable = SMALLEST <= average <= LARGEST
    return Fill(
        filled=filled,
        average=average if believable else intent.price,
        cost=abs(paid),
        base_fee=fee,
    )


def _safe(intent: Intent, moved: Decimal, paid: Decimal) -> Fill:
    """The booking under which no coin of others can be sold."""
    if intent.side is Side.SELL:
        return Fill(filled=intent.amount, average=intent.price)
    supported = min(moved, intent.amount)
    if intent.price is not None:
        supported = min(supported, paid / intent.price)
    if supported <= 0 or paid <= 0:
        return Fill(filled=ZERO)
    return Fill(filled=round_down(supported, DEFAULT_DECIMALS), average=intent.price)
