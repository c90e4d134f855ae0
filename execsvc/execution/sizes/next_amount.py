"""The amount of the next order, given what is wanted and what is known of the market. Pure.

Every part of a position that is sold is progress, so the search begins with an amount that is
probably taken and learns from the parts that follow: after a refusal that may have two causes, with
the next smaller of 1, 2, 5, 10, ..., which has one digit and is therefore on any step that it
reaches. The next amount is no larger than what was taken, and shows by its decimals which cause
it was.
"""

from __future__ import annotations

from decimal import Decimal

from execsvc.execution.sizes.known_sizes import KnownSizes, next_smaller, places
from execsvc.model.market import ZERO, Limits, round_down
from execsvc.model.order import Side
from execsvc.model.refusal import Refusal, SizeAnswer

SMALLEST_PART = Decimal("0.0005")
"""The part of what is wanted below which no smaller amount is tried."""
SMALLEST_PART_BY_WORTH = Decimal("0.1")
"""The same after a refusal for the worth alone, where no minimum is published."""
CLOSE = Decimal("1.1")
"""A maximum is known well enough when what was refused is so many times what was taken."""
SURELY_NO_DUST = 10
"""The multiple of the published minimum above which an amount is never dust, despite a refusal."""
SHARE_OF_FUNDS = (Decimal(1), *(Decimal(percent) / 100 for percent in (95, 90, 75, 50, 25)))
"""The part of a free balance that an order may use, after so many refusals for it in a row."""


def next_amount(
    wanted: Decimal,
    decimals: int,
    limits: Limits,
    price: Decimal | None,
    known: KnownSizes,
    opens: bool = False,
) -> Decimal | None:
    """The amount to order of ``wanted`` base units; None when nothing is left to try.

    ``decimals`` is the step as published, or as the strategy wants it. ``opens``: the order is an
    entry, of which there is one, and which tries from time to time how large it may be.
    """
    ceiling = _ceiling(wanted, limits, price, known, opens)
    if ceiling is None:
        return None
    for places_left in _decimals(wanted, decimals, limits, known):
        amount = round_down(min(wanted, ceiling), places_left)
        if known.taken is not None and amount <= known.taken:
            amount = _as_fine(amount, places_left, limits, known.doubted)
        if not opens:
            all_of_it = round_down(wanted, places_left)
            amount = _without_small_rest(amount, all_of_it, places_left, limits, price)
        if amount > known.too_small and not limits.refuses(amount, price):
            return amount
    return None


def last_amount(
    tracked: Decimal, limits: Limits, price: Decimal | None, known: KnownSizes
) -> Decimal | None:
    """The amount for a sell of all that is ``tracked`` when :func:`next_amount` has nothing left.

    That is the whole, although its step is known to be too fine, then less than half of it: only an
    amount that was itself refused may be called dust, and a maximum must not be taken for a step.
    None when both were refused. Of a whole that cannot be dust, less and less is tried.
    """
    whole = round_down(tracked, limits.decimals)
    if whole > 0 and whole not in known.causes:
        return whole
    if _is_surely_no_dust(whole, limits, price) and known.causes[whole].stated is Refusal.WORTH:
        return _part_of_less_worth(whole, limits, price, known)
    return _part_to_try(whole, limits, price, known)


def is_dust(tracked: Decimal, limits: Limits, price: Decimal | None, known: KnownSizes) -> bool:
    """True when ``tracked`` is too little to be sold (CONTRACTS section 2).

    Beside the published minima only a refusal of the whole of it counts: for a minimum, or for a
    step that leaves nothing of it that could be sold, once an amount on that step was taken; or for
    whatever reason, once a larger amount was taken and the minima admit no smaller one.
    """
    whole = round_down(tracked, limits.decimals)
    if limits.refuses(whole, price):
        return True
    cause = known.causes.get(whole)
    if cause is None or cause.actual is Refusal.TOO_LARGE:
        return False
    if cause.actual is Refusal.SIZE:
        return _is_least(whole, limits, price, known)
    if cause.actual is Refusal.STEP:
        if known.finest is None or _part_to_try(whole, limits, price, known) is not None:
            return False
        assert known.decimals is not None, "a step was refused"
        on_step = round_down(tracked, known.decimals)
        return on_step == 0 or _is_too_little(on_step, limits, price, known)
    return _is_too_little(whole, limits, price, known)


def _is_too_little(
    amount: Decimal, limits: Limits, price: Decimal | None, known: KnownSizes
) -> bool:
    """True when ``amount`` is below a minimum that is not published, or not correctly."""
    if _is_surely_no_dust(amount, limits, price):
        return False
    cause = known.causes.get(amount)
    if cause is not None and cause.actual is Refusal.WORTH:
        return next_amount(amount, limits.decimals, limits, price, known) is None
    return amount <= known.too_small or _is_least(amount, limits, price, known)


def _is_surely_no_dust(amount: Decimal, limits: Limits, price: Decimal | None) -> bool:
    """True when ``amount`` is worth so much more than the published minimum that no refusal makes it
    dust.
    """
    return bool(
        limits.min_notional and price and amount * price > SURELY_NO_DUST * limits.min_notional
    )


def _is_least(amount: Decimal, limits: Limits, price: Decimal | None, known: KnownSizes) -> bool:
    """True when ``amount``, which was refused, must be too small although no answer says so.

    A larger one was taken, so neither its step nor its size is at fault, unless a maximum was
    lowered since: then less of it would be taken, and the published minima admit no less.
    """
    return amount in known.exceeded and limits.refuses(next_smaller(amount), price)


def _part_to_try(
    whole: Decimal, limits: Limits, price: Decimal | None, known: KnownSizes
) -> Decimal | None:
    """Less than half of ``whole``, after a refusal that may mean a maximum; None if that was tried."""
    amounts = [whole]
    if known.decimals is not None:
        amounts.append(round_down(whole, known.decimals))
    for amount in amounts:
        cause = known.causes.get(amount)
        if cause is None or cause.stated is not Refusal.SIZE:
            continue
        part = next_smaller(amount)
        if not limits.refuses(part, price) and not known.refused_up_to(part):
            return part
    return None


def _part_of_less_worth(
    whole: Decimal, limits: Limits, price: Decimal | None, known: KnownSizes
) -> Decimal | None:
    """The largest part of ``whole`` below all that was refused; None where that is below a minimum.

    A maximum that was lowered refuses less than what was taken before, as a minimum would.
    """
    part = next_smaller(whole)
    while known.refused_up_to(part) and not limits.refuses(part, price):
        part = next_smaller(part)
    return None if limits.refuses(part, price) else part


def usable_funds(free: Decimal, side: Side, known: KnownSizes) -> Decimal:
    """The part of a ``free`` balance that an order on ``side`` may use, after refusals for it."""
    refused = min(known.short_of_funds.get(side, 0), len(SHARE_OF_FUNDS) - 1)
    return free * SHARE_OF_FUNDS[refused]


def coarsest(amount: Decimal) -> int:
    """The decimals that leave one digit of ``amount``.

    >>> coarsest(Decimal("0.0172"))
    2
    """
    return -amount.adjusted()


def _decimals(wanted: Decimal, decimals: int, limits: Limits, known: KnownSizes) -> range:
    """The decimals to try, one after the other while they make an amount too small.

    That is one less than was refused where a step is published, else at first half way.
    """
    if known.decimals is None or known.decimals >= decimals or wanted <= 0:
        return range(decimals, decimals + 1)
    finest = known.decimals
    least = coarsest(wanted)
    if known.finest is not None:
        least = max(least, known.finest)
    if limits.min_amount is not None or least >= finest:
        return range(finest, finest + 1)
    return range((finest + 1 + least) // 2, finest + 1)


def _ceiling(
    wanted: Decimal, limits: Limits, price: Decimal | None, known: KnownSizes, opens: bool
) -> Decimal | None:
    """The largest amount to try; None when every one has been refused."""
    if known.taken is None:
        return _untaken_ceiling(wanted, limits, price, known)
    if known.doubted:
        return known.taken
    if known.maximum is not None:
        if opens and known.maximum > known.taken * CLOSE:
            return (known.taken + known.maximum) / 2
        return known.taken
    step_is_open = known.decimals is not None and (known.finest or ZERO) < known.decimals
    return known.taken if step_is_open else wanted


def _untaken_ceiling(
    wanted: Decimal, limits: Limits, price: Decimal | None, known: KnownSizes
) -> Decimal | None:
    refused = [answer.amount for answer in known.doubted]
    if known.maximum is not None:
        refused.append(known.maximum)
    if not refused or min(refused) > wanted:
        return wanted
    least = min(refused)
    by_worth = [answer for answer in known.doubted if answer.refusal is Refusal.WORTH]
    if by_worth and limits.refuses(least / 2, price):
        return None  # half of it could not be sold: it is the minimum that was meant
    open_ended = len(by_worth) == len(refused) and limits.min_notional is None
    ceiling = next_smaller(least)
    share = SMALLEST_PART_BY_WORTH if open_ended else SMALLEST_PART
    return ceiling if ceiling >= wanted * share else None


def _as_fine(
    amount: Decimal, decimals: int, limits: Limits, doubted: tuple[SizeAnswer, ...]
) -> Decimal:
    """``amount`` with as many decimals as were refused, so that the answer is about decimals.

    Where the step is published, with all decimals that the step has: the amount is hardly smaller
    then.
    """
    refused = [places(each.amount) for each in doubted if each.refusal is Refusal.SIZE]
    if not refused:
        return amount
    finest = decimals if limits.min_amount is not None else min(decimals, max(refused))
    unit = Decimal(1).scaleb(-finest)
    return amount - unit if places(amount) < max(refused) and amount > unit else amount


def _without_small_rest(
    amount: Decimal, all_of_it: Decimal, decimals: int, limits: Limits, price: Decimal | None
) -> Decimal:
    """``amount``, or half of what is wanted where the rest would be too little to be sold."""
    rest = all_of_it - amount
    if rest <= 0 or not limits.refuses(rest, price):
        return amount
    half = round_down(all_of_it / 2, decimals)
    return amount if limits.refuses(half, price) else min(amount, half)
