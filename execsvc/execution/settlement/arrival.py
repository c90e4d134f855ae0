"""The fee and the price of a filled order, by a balance, where its answer left them open. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from execsvc.execution.settlement.decision import base_noise, movement
from execsvc.model.market import SMALLEST, ZERO, exact_sum
from execsvc.model.order import LARGEST_BASE_FEE, Fill, Intent, Side

PRICE_TOLERANCE = Decimal("0.05")
"""The largest deviation of a price by the quote balance from that of the market.

The quote may also have moved by trades that are not the bot's.
"""


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
