"""Conditions under which the stop loss of a row closes a position.

Pure.

Prices are in quote per base, a stop loss in percent of the entry price.
"""

from __future__ import annotations

from decimal import Context, Decimal

from execsvc.errors import Unavailable
from execsvc.model.market import Depth, exact_sum, plain, round_down
from execsvc.model.position import Position

_HALF = Decimal("0.5")
_PERCENT = 100
_EXACT = Context(prec=400)
"""A context that holds the product of any two plausible numbers: a rounded threshold is another
one.
"""
_DECIMALS = 8


def exit_price(position: Position, depth: Depth) -> Decimal:
    """The price at which a market order would begin to close ``position``."""
    return depth.best_bid if position.side == "BUY" else depth.best_ask


def entry_price(position: Position) -> Decimal:
    """The entry price of ``position``. Raises Unavailable where no fill has stated a price."""
    if position.entry_price is None:
        raise Unavailable("the entry price of the position is not known")
    return position.entry_price


def is_reached(stop_loss: Decimal, position: Position, price: Decimal) -> bool:
    """True when ``price`` is ``stop_loss`` percent or more on the losing side of the entry price.

    Raises Unavailable where no fill has named an entry price.
    """
    entry = entry_price(position)
    lost = _EXACT.multiply(_lost(position, entry, price), Decimal(_PERCENT))
    return lost >= _EXACT.multiply(stop_loss, entry)


def is_implausible(stop_loss: Decimal, position: Position, depth: Depth) -> bool:
    """True for a book so far beyond the stop loss, or so wide, that one answer alone is not believed.

    A market seldom halves, or doubles, between two looks, and its bid is seldom less than half of
    its ask; a digit too few in an answer does that.
    """
    if depth.best_bid < depth.best_ask * _HALF:
        return True
    entry, price = entry_price(position), exit_price(position, depth)
    part = stop_loss / _PERCENT
    if position.side == "BUY":
        return price < entry * (1 - part) * _HALF
    return price > entry * (1 + part) / _HALF


def reason(stop_loss: Decimal, position: Position, price: Decimal) -> str:
    """The reason for closing the position, as in orders, ``/status`` and the log."""
    entry = entry_price(position)
    percent = round_down(_lost(position, entry, price) / entry * _PERCENT, 2)
    where = "below" if position.side == "BUY" else "above"
    return (
        f"{named(stop_loss)}: {_shown(price)} is {plain(percent)} % {where} the entry price of "
        f"{_shown(entry)}"
    )


def named(stop_loss: Decimal) -> str:
    """The rule, as the reason of an order begins: ``stop loss 5 %``."""
    return f"stop loss {plain(stop_loss)} %"


def _lost(position: Position, entry: Decimal, price: Decimal) -> Decimal:
    """Quote per base that the position has lost at ``price``; negative for a gain."""
    return exact_sum(entry, -price) if position.side == "BUY" else exact_sum(price, -entry)


def _shown(price: Decimal) -> str:
    return plain(round_down(price, _DECIMALS))
