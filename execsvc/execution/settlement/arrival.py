"""A filled order and the balance: the fee and the price that its answer left open, and what is expected.

Pure but for the time at which a balance is expected.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from execsvc.clock import now
from execsvc.execution.settlement.decision import base_noise, movement
from execsvc.model.market import SMALLEST, ZERO, Symbol, exact_sum
from execsvc.model.order import LARGEST_BASE_FEE, Fill, Intent, Side
from execsvc.store.orders import Expected

PRICE_TOLERANCE = Decimal("0.05")
"""The largest deviation of a price by the quote balance from that of the market.

The quote may also have moved by trades that are not the bot's.
"""
_SHOWS = Decimal("0.02")
"""A balance that differs from what a fill must have left by this part of the fill lags behind."""
_LEAST_TOLERANCE = Decimal("1e-8")


class Reference(NamedTuple):
    """A price of the market at about the time of an order, and its source."""

    price: Decimal
    source: str


def arrived(
    intent: Intent, fill: Fill, base: Decimal, quote: Decimal, reference: Reference | None
) -> Fill | None:
    """``fill`` with the fee and the price that free ``base`` and ``quote`` of the account show.

    None while they do not show it. A price is believed only if it is close to ``reference``.
    """
    moved, paid = movement(intent, base, quote)
    noise = base_noise(intent)
    if not _shows(intent.side, fill.filled, moved, noise):
        return None
    if fill.base_fee is None:
        fee = exact_sum(fill.filled, -moved) * intent.side.sign
        fill = fill.model_copy(update={"base_fee": _without_noise(intent.side, fee, noise)})
    if not intent.lacks_price(fill):
        return fill
    cost = exact_sum(paid, -fill.quote_fee * intent.side.sign)
    price = cost / fill.filled
    if price < SMALLEST or not (reference is None or _near(price, reference.price)):
        return None
    return fill.model_copy(
        update={"average": price, "cost": cost, "priced_by": "the quote balance"}
    )


def cautious(intent: Intent, fill: Fill, reference: Reference | None) -> Fill:
    """``fill`` where no balance shows its fee and price: the largest fee, and the market's price."""
    if fill.base_fee is None:
        fill = fill.model_copy(update={"base_fee": fill.filled * LARGEST_BASE_FEE})
    if reference is not None and intent.lacks_price(fill):
        update = {"average": reference.price, "priced_by": reference.source}
        fill = fill.model_copy(update=update)
    return fill


def _shows(side: Side, filled: Decimal, moved: Decimal, noise: Decimal) -> bool:
    """True when ``moved`` base units are ``filled``, less (a sell: plus) a fee in base."""
    fee = filled * LARGEST_BASE_FEE
    least, most = (filled - fee, filled) if side is Side.BUY else (filled, filled + fee)
    return least - noise <= moved <= most + noise


def _without_noise(side: Side, fee: Decimal, noise: Decimal) -> Decimal:
    """The fee without float noise: a buy tracks exactly what arrived; a sell pays no fee made of
    noise.
    """
    return max(fee, ZERO) if side is Side.BUY or fee > noise else ZERO


def _near(price: Decimal, reference: Decimal) -> bool:
    return abs(price - reference) <= reference * PRICE_TOLERANCE


def after_fill(intent: Intent, fill: Fill) -> dict[str, Expected]:
    """Base and quote that the next order's baseline has to agree with."""
    base, quote = Symbol.parse(intent.symbol)
    change = fill.base_change(intent.side)
    cost = fill.cost or fill.filled * (fill.price or intent.price or ZERO)
    paid = cost * intent.side.sign + fill.quote_fee
    expected = {base: _expected(intent.baseline_base + change, change)}
    if cost:
        expected[quote] = _expected(intent.baseline_quote - paid, cost)
    return expected


def _expected(amount: Decimal, change: Decimal) -> Expected:
    tolerance = max(abs(change) * _SHOWS, min(_LEAST_TOLERANCE, abs(change) / 2))
    return Expected(amount=amount, tolerance=tolerance, filled_at=now())
