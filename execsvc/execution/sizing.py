"""The quantity of one order, by its request and by what was read in its turn. Pure.

Quantities are in base units, rounded down: what the request asked for, what is wanted of that once
balances, caps and minima are known, and the quantity of the next order, which the answers to
earlier orders may make smaller.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from execsvc.errors import OrderRefused
from execsvc.execution.funds import Funds, affordable
from execsvc.execution.sizes.known_sizes import KnownSizes
from execsvc.execution.sizes.next_amount import last_amount, next_amount
from execsvc.model.market import FLOAT_NOISE, ZERO, Limits, exact_sum, plain, round_down
from execsvc.model.order import OrderRequest, Purpose
from execsvc.model.position import Position

USUAL_FEE = Decimal("0.002")
"""The part of a buy that its fee in base may take, where no earlier buy has shown it."""
FALL = Decimal("0.02")
"""The part by which the price may fall before the position becomes too small to be sold."""


class OrderTerms(NamedTuple):
    """Limits of a bot's orders by its row and by its strategy; the default has none."""

    allocation: Decimal | None = None
    """The most that the bot may hold, in quote."""
    precision: int | None = None
    """The most decimals of a quantity that the strategy orders."""

    def decimals(self, limits: Limits) -> int:
        """The decimals that a quantity may have in a market of these ``limits``."""
        return limits.decimals if self.precision is None else min(limits.decimals, self.precision)


class Sized(NamedTuple):
    """The quantity of one order."""

    quantity: Decimal
    wanted: Decimal
    """The quantity before the sizes that the market takes: what is left of it may follow."""
    rest_is_lost: bool = False
    """True for a buy-back after which the rest of the short can never be bought."""


class RefusedSize(NamedTuple):
    """The last order of a request, which the exchange refused for its ``quantity``."""

    quantity: Decimal
    detail: str


class UnpaidBuyBack(OrderRefused):
    """Free quote that pays for no part of a short that the exchange would take."""


def size(
    request: OrderRequest,
    funds: Funds,
    position: Position,
    terms: OrderTerms,
    refused: RefusedSize | None = None,
) -> Sized:
    """The quantity to order now for ``request``, of which ``refused`` is the last order.

    Raises OrderRefused where a balance, a cap or a minimum leaves too little, and in the words of
    ``refused`` when nothing else is left to try; UnpaidBuyBack.
    """
    if request.purpose is Purpose.ENTRY:
        return _entry(request, funds, position, terms, refused)
    if request.purpose is Purpose.SHORT_ENTRY:
        return _short_entry(request, funds, terms, refused)
    if request.purpose is Purpose.SHORT_EXIT:
        return _short_exit(request, funds, position, terms, refused)
    return _exit(request, funds, position, terms, refused)


def _entry(
    request: OrderRequest,
    funds: Funds,
    position: Position,
    terms: OrderTerms,
    refused: RefusedSize | None,
) -> Sized:
    assert funds.price is not None, "a buy has a ticker"
    decimals = terms.decimals(funds.limits)
    cap = _cap(funds, position.tracked, terms)
    try:
        wanted = buy_amount(
            request.quantity, funds.price, funds.usable_quote, cap, decimals, funds.limits
        )
    except OrderRefused as refusal:
        if not funds.reserved_quote:
            raise
        raise OrderRefused(
            f"{refusal}; {plain(funds.reserved_quote)} {funds.symbol.quote} of the free balance "
            f"are positions of bots of this account, and are not spent"
        ) from None
    return Sized(_to_order(wanted, decimals, funds, refused, opens=True), wanted)


def _exit(
    request: OrderRequest,
    funds: Funds,
    position: Position,
    terms: OrderTerms,
    refused: RefusedSize | None,
) -> Sized:
    limits, tracked, asked = funds.limits, position.tracked, request.quantity
    free = funds.usable_base
    decimals = terms.decimals(limits)
    wanted = sell_amount(asked, free, tracked, decimals)
    whole = request.purpose is Purpose.LIQUIDATION or asked >= tracked
    if whole and limits.refuses(wanted, funds.price):
        # The strategy's own precision is for its orders; it must not strand a position.
        decimals = limits.decimals
        wanted = sell_amount(asked, free, tracked, decimals)
    if limits.refuses(wanted, funds.price):
        raise OrderRefused(
            f"a sell of {plain(wanted)} is below the minimum (asked: {plain(asked)}, "
            f"tracked: {plain(tracked)}, free: {plain(funds.free_base)})"
        )
    all_of_it = tracked if whole else None
    return Sized(_to_order(wanted, decimals, funds, refused, tracked=all_of_it), wanted)


def _short_entry(
    request: OrderRequest, funds: Funds, terms: OrderTerms, refused: RefusedSize | None
) -> Sized:
    if funds.price is None:
        raise OrderRefused("without a ticker nothing says what the entry is worth")
    wanted = min(request.quantity, funds.owned_base)
    cap = _cap(funds, ZERO, terms)
    if cap is not None:
        wanted = min(wanted, cap)
    wanted = _rounded("sell", wanted, funds, terms)
    decimals = terms.decimals(funds.limits)
    return Sized(_to_order(wanted, decimals, funds, refused, opens=True), wanted)


def _short_exit(
    request: OrderRequest,
    funds: Funds,
    position: Position,
    terms: OrderTerms,
    refused: RefusedSize | None,
) -> Sized:
    assert funds.price is not None, "a buy has a ticker"
    owed = min(request.quantity, position.sold_short)
    paid_for = affordable(funds.free_quote, funds.price)
    try:
        wanted = _rounded("buy-back", min(owed, paid_for), funds, terms)
    except OrderRefused as refusal:
        raise UnpaidBuyBack(str(refusal)) from None
    wanted = min(wanted, affordable(funds.usable_quote, funds.price))
    wanted = _rounded("buy-back", wanted, funds, terms)
    quantity = _to_order(wanted, terms.decimals(funds.limits), funds, refused)
    all_of_it = paid_for < owed and quantity == wanted
    rest = exact_sum(owed, -quantity)
    return Sized(quantity, wanted, all_of_it or funds.limits.refuses(rest, funds.price))


def _cap(funds: Funds, held: Decimal, terms: OrderTerms) -> Decimal | None:
    """Base units that the allocation leaves for an entry beside ``held``; None where there is no cap.

    The allocation is judged at the price at which the entry would trade, where it could bind; at
    the ticker where it could not, and when the book cannot be read.
    """
    price = funds.price if funds.best_price is None else funds.best_price
    if terms.allocation is None or price is None:
        return None
    return allowed(held, terms.allocation, price)


def _rounded(what: str, wanted: Decimal, funds: Funds, terms: OrderTerms) -> Decimal:
    rounded = round_down(max(wanted, ZERO), terms.decimals(funds.limits))
    if funds.limits.refuses(rounded, funds.price):
        raise OrderRefused(f"a {what} of {plain(rounded)} is below the minimum")
    return rounded


def _to_order(
    wanted: Decimal,
    decimals: int,
    funds: Funds,
    refused: RefusedSize | None,
    *,
    opens: bool = False,
    tracked: Decimal | None = None,
) -> Decimal:
    """The quantity to order of ``wanted``, which has ``decimals`` at most.

    ``opens``: an entry may try how large an order the market takes. ``tracked`` is given when all of
    it is to be sold. The first order of a request is always sent: the market may have changed.
    """
    limits, price, known = funds.limits, funds.price, funds.known
    quantity = next_amount(wanted, decimals, limits, price, known, opens)
    if quantity is None and tracked is not None and wanted == round_down(tracked, limits.decimals):
        quantity = last_amount(tracked, limits, price, known)
    if refused is not None and quantity in (None, refused.quantity):
        raise OrderRefused(refused.detail)
    return wanted if quantity is None else quantity


def buy_amount(
    asked: Decimal,
    price: Decimal,
    free_quote: Decimal,
    allowed: Decimal | None,
    decimals: int,
    limits: Limits,
) -> Decimal:
    """The part of ``asked`` to buy at ``price``; ``allowed`` is the cap, None without one.

    Raises OrderRefused when that is below the exchange's minimum.
    """
    caps = {"asked": asked, "affordable": affordable(free_quote, price)}
    if allowed is not None:
        caps["left of account_allocation"] = allowed
    rounded = round_down(max(min(caps.values()), ZERO), decimals)
    if limits.refuses(rounded, price):
        listed = ", ".join(
            f"{name}: {plain(round_down(max(cap, ZERO), decimals))}" for name, cap in caps.items()
        )
        raise OrderRefused(f"a buy of {plain(rounded)} is below the minimum ({listed})")
    return rounded


def sell_amount(asked: Decimal, free_base: Decimal, tracked: Decimal, decimals: int) -> Decimal:
    """``min(asked, actual, tracked)``, rounded down; may be zero."""
    # Rounding must not take a whole step for what a float lost on its way to us.
    actual = tracked if 0 < tracked - free_base <= tracked * FLOAT_NOISE else free_base
    return round_down(max(min(asked, actual, tracked), ZERO), decimals)


def allowed(held: Decimal, allocation: Decimal, price: Decimal) -> Decimal:
    """Base units that ``allocation`` (quote) allows beside ``held`` at ``price``; may be negative."""
    return exact_sum(allocation / price, -held)


def may_hold_nothing(allocation: Decimal | None) -> str | None:
    """The reason for which a bot with this ``allocation`` never makes an entry; None when it may.

    >>> may_hold_nothing(Decimal("0.00"))
    'account_allocation is 0: the bot may hold nothing, so it buys nothing'
    """
    if allocation != 0:
        return None
    return "account_allocation is 0: the bot may hold nothing, so it buys nothing"


def refuse_unsellable_entry(
    quantity: Decimal,
    held: Decimal,
    fee_rate: Decimal | None,
    limits: Limits,
    price: Decimal,
    known: KnownSizes,
) -> None:
    """Refuse an entry of ``quantity`` base units whose position might be too small to be sold.

    ``held`` is what is already there and would be sold along; ``fee_rate`` the part that the last
    buy's fee in base took, None when there was none. Raises OrderRefused.
    """
    fee = quantity * (USUAL_FEE if fee_rate is None else fee_rate)
    left = exact_sum(held, quantity, -fee)
    decimals = limits.decimals
    if known.decimals is not None:
        decimals = min(decimals, known.decimals)
    if not limits.refuses(round_down(left, decimals), price * (1 - FALL)):
        return
    minima = [
        f"{plain(value)} {what}"
        for value, what in ((limits.min_amount, "in amount"), (limits.min_notional, "in worth"))
        if value
    ]
    raise OrderRefused(
        f"no entry of {plain(quantity)}: the {plain(left)} left after its fee could not be sold once "
        f"the price is {plain(FALL * 100)} % lower (minimum {' and '.join(minima) or 'one step'})"
    )
