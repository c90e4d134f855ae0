"""The balance that an account should hold once a fill shows in it."""

from __future__ import annotations

from decimal import Decimal

from execsvc.clock import now
from execsvc.model.market import ZERO
from execsvc.model.order import Fill, Intent
from execsvc.model.symbol import Symbol
from execsvc.store.orders import Expected

_SHOWS = Decimal("0.02")
"""A balance that differs from what a fill must have left by this part of the fill lags behind."""
_LEAST_TOLERANCE = Decimal("1e-8")


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
