"""One market order on paper, as a pure function of book, terms and balances."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from execsvc.model.market import ZERO, Depth, plain
from execsvc.model.order import Fill, Side
from execsvc.paper.book import walk
from execsvc.paper.terms import USUAL_FEE_RATE, Fault, FeeAsset, NotTaken, Terms, check, fees


class Traded(NamedTuple):
    """The result of an order: its fill, and the free balances after it."""

    fill: Fill
    free_base: Decimal
    free_quote: Decimal


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
    depth: Depth,
    terms: Terms,
    free_base: Decimal,
    free_quote: Decimal,
    side: Side,
    amount: Decimal,
    at_most: Decimal | None = None,
) -> Traded:
    """Fill an order of ``amount`` base units for an account with these free balances.

    The exchange judges the whole ``amount``, then fills no more than ``at_most`` of it. Raises
    NotTaken.
    """
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
