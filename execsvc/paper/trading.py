"""One market order on paper, as a pure function of book, terms and balances."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from execsvc.model.market import ZERO, Depth, plain
from execsvc.model.order import Fill, Side
from execsvc.paper.terms import USUAL_FEE_RATE, Fault, FeeAsset, NotTaken, Terms, check, fees


class MarketOrder(NamedTuple):
    """A market order of ``amount`` base units."""

    side: Side
    amount: Decimal
    at_most: Decimal | None = None
    """The part that is filled, of an order that the exchange takes in parts; None: all of it."""


class Traded(NamedTuple):
    """The result of an order: its fill, and the free balances after it."""

    fill: Fill
    free_base: Decimal
    free_quote: Decimal


class Walk(NamedTuple):
    """The result of a walk through the book: base units filled, and the quote that they cost."""

    filled: Decimal
    cost: Decimal


def walk(depth: Depth, side: Side, amount: Decimal) -> Walk:
    """Take ``amount`` base units from the levels that face ``side``, best first.

    A book that is thinner than ``amount`` fills what it has.
    """
    filled, cost = ZERO, ZERO
    for level in depth.asks if side is Side.BUY else depth.bids:
        taken = min(level.amount, amount - filled)
        filled += taken
        cost += taken * level.price
        if filled == amount:
            break
    return Walk(filled, cost)


def fill_on_book(
    depth: Depth,
    side: Side,
    amount: Decimal,
    fee_rate: Decimal = USUAL_FEE_RATE,
    fee_asset: FeeAsset = FeeAsset.RECEIVED,
) -> Fill:
    """The final fill of ``amount`` base units on ``depth``, with no regard to balances."""
    filled, cost = walk(depth, side, amount)
    base_fee, quote_fee = fees(Terms(fee_rate=fee_rate, fee_asset=fee_asset), side, filled, cost)
    return Fill(
        filled=filled,
        average=cost / filled if filled else None,
        cost=cost,
        base_fee=base_fee,
        quote_fee=quote_fee,
    )


def trade(
    depth: Depth, terms: Terms, free_base: Decimal, free_quote: Decimal, order: MarketOrder
) -> Traded:
    """Fill ``order`` for an account with these free balances.

    The exchange judges the whole amount, then fills no more than ``at_most`` of it. Raises NotTaken.
    """
    side, amount, at_most = order
    check(terms, amount, depth.best_ask if side is Side.BUY else depth.best_bid)
    whole = fill_on_book(depth, side, amount, terms.fee_rate, terms.fee_asset)
    if side is Side.SELL and amount > free_base:
        raise NotTaken(Fault.BALANCE, f"{plain(free_base)} of {plain(amount)}")
    if _quote_after(free_quote, side, whole) < 0:
        raise NotTaken(Fault.BALANCE, f"{plain(free_quote)} for {plain(whole.cost or ZERO)}")
    fill = whole
    if at_most is not None and at_most < amount:
        fill = fill_on_book(depth, side, at_most, terms.fee_rate, terms.fee_asset)
    return Traded(fill, free_base + fill.base_change(side), _quote_after(free_quote, side, fill))


def _quote_after(free_quote: Decimal, side: Side, fill: Fill) -> Decimal:
    return free_quote - side.sign * (fill.cost or ZERO) - fill.quote_fee
