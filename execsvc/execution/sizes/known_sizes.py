"""The amounts that a market takes, by the answers to earlier orders. Pure.

An exchange may refuse a step that is too fine, an amount that is too large and one that is too
small in the same words. One refusal therefore proves nothing. Together with the amounts that were
taken about the same time it does: a smaller amount with as many decimals was taken, so the refused
one is too large; a larger amount with fewer decimals was taken, so the step is too fine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from execsvc.model.market import ZERO
from execsvc.model.order import Side
from execsvc.model.refusal import Refusal, SizeAnswer

KEPT = timedelta(days=7)
"""Time after which an answer is forgotten: exchanges change their limits."""
EPISODE = timedelta(minutes=30)
"""Span within which answers explain each other, and for which an unexplained refusal is heeded."""


class RefusalCause(NamedTuple):
    """The refusal by the exchange's words, and by its cause, where that is known."""

    stated: Refusal
    actual: Refusal


class KnownSizes(NamedTuple):
    """The limits of one market as learnt: amounts in base units, steps as decimals."""

    decimals: int | None = None
    """The most decimals that an amount may have, as far as refusals say; None: nothing was refused."""
    finest: int | None = None
    """The most decimals of an amount that was taken."""
    maximum: Decimal | None = None
    """The smallest amount that was too large."""
    taken: Decimal | None = None
    """The largest amount that was taken and is below that."""
    doubted: tuple[SizeAnswer, ...] = ()
    """Recent refusals that may be due to the step or to a maximum."""
    too_small: Decimal = ZERO
    """The largest amount that was recently too small."""
    causes: Mapping[Decimal, RefusalCause] = {}
    """The cause of each refusal, by amount."""
    exceeded: frozenset[Decimal] = frozenset()
    """Refused amounts of which a larger one, as fine, was taken about the same time."""
    short_of_funds: Mapping[Side, int] = {}
    """For each side, how many recent orders in a row were refused for the balance."""

    def refused_up_to(self, amount: Decimal) -> bool:
        """True when ``amount`` or a smaller one was refused."""
        return any(refused <= amount for refused in self.causes)


def places(amount: Decimal) -> int:
    """The decimals that ``amount`` uses; negative for tens and hundreds.

    >>> places(Decimal("0.0190")), places(Decimal(100))
    (3, -2)
    """
    exponent = amount.normalize().as_tuple().exponent
    assert isinstance(exponent, int), "an amount is a finite number"
    return -exponent


def next_smaller(amount: Decimal) -> Decimal:
    """The largest of 1, 2, 5, 10, 20, 50, ... (and 0.5, 0.2, 0.1, ...) below ``amount``.

    >>> next_smaller(Decimal("0.0172")), next_smaller(Decimal("0.01"))
    (Decimal('0.01'), Decimal('0.005'))
    """
    for exponent in (amount.adjusted(), amount.adjusted() - 1):
        for digit in (5, 2, 1):
            candidate = Decimal(digit).scaleb(exponent)
            if candidate < amount:
                return candidate
    raise AssertionError("a power of ten is below any amount of its magnitude")


class _Refused(NamedTuple):
    """A refusal that stands.

    ``amount`` has the worth of the refused amount, at the present price.
    """

    place: int
    answer: SizeAnswer
    amount: Decimal
    cause: Refusal

    @property
    def stated(self) -> Refusal:
        """The refusal in the exchange's own words."""
        assert self.answer.refusal is not None, "it was refused"
        return self.answer.refusal


def known_of(answers: Sequence[SizeAnswer], now: datetime, price: Decimal | None) -> KnownSizes:
    """The limits that ``answers``, oldest first, show at ``now``; ``price`` is the ticker's or
    None.
    """
    kept = [answer for answer in answers if abs(now - answer.at) < KEPT]
    standing = [each for each in _standing(kept, price) if _is_heeded(each, now)]
    too_large = [each for each in standing if each.cause is Refusal.TOO_LARGE]
    too_fine = [places(each.amount) for each in standing if each.cause is Refusal.STEP]
    maximum = min((each.amount for each in too_large), default=None)
    least_fine = min(too_fine, default=None)
    doubted = [each for each in standing if _is_doubted(each, maximum, least_fine)]
    finest = [places(answer.amount) for answer in kept if answer.refusal is None]
    small = [each.amount for each in standing if each.cause is Refusal.TOO_SMALL]
    return KnownSizes(
        decimals=None if least_fine is None else least_fine - 1,
        finest=max((p for p in finest if least_fine is None or p < least_fine), default=None),
        maximum=maximum,
        taken=_largest_taken(kept, [*too_large, *doubted]),
        doubted=tuple(each.answer._replace(amount=each.amount) for each in doubted),
        too_small=max(small, default=ZERO),
        causes={each.answer.amount: RefusalCause(each.stated, each.cause) for each in standing},
        exceeded=frozenset(
            each.answer.amount for each in standing if _is_exceeded(each.answer, kept)
        ),
        short_of_funds={side: _short_of_funds(kept, side, now) for side in Side},
    )


def _standing(answers: Sequence[SizeAnswer], price: Decimal | None) -> Iterator[_Refused]:
    """Each refusal for the size that no later answer contradicts, with its cause."""
    for index, answer in enumerate(answers):
        if answer.refusal is None or answer.refusal is Refusal.BALANCE:
            continue
        amount = answer.amount
        if answer.refusal is Refusal.WORTH and answer.price and price:
            amount = amount * answer.price / price
        refused = _Refused(index, answer, amount, _cause(answer, answers))
        later = answers[index + 1 :]
        if not any(_contradicts(other, refused) for other in later if other.refusal is None):
            yield refused


def _is_heeded(refused: _Refused, now: datetime) -> bool:
    """True while a refusal counts: a proven one as long as it is kept, another one for EPISODE.

    An unproven refusal must not make a position unsellable.
    """
    proven = refused.cause in (Refusal.STEP, Refusal.TOO_LARGE)
    return proven or abs(now - refused.answer.at) < EPISODE


def _is_doubted(refused: _Refused, maximum: Decimal | None, least_fine: int | None) -> bool:
    if refused.cause not in (Refusal.SIZE, Refusal.WORTH):
        return False
    if maximum is not None and refused.amount >= maximum:
        return False
    by_step = refused.cause is Refusal.SIZE and least_fine is not None
    return not (by_step and places(refused.amount) >= (least_fine or 0))


def _largest_taken(answers: Sequence[SizeAnswer], against: list[_Refused]) -> Decimal | None:
    """The largest amount that was taken and that no later refusal puts in doubt."""
    taken = [
        answer.amount
        for index, answer in enumerate(answers)
        if answer.refusal is None
        and not any(no.amount <= answer.amount and no.place > index for no in against)
    ]
    return max(taken, default=None)


def _is_exceeded(refused: SizeAnswer, answers: Sequence[SizeAnswer]) -> bool:
    return any(
        other.refusal is None
        and other.amount > refused.amount
        and places(other.amount) >= places(refused.amount)
        and abs(other.at - refused.at) <= EPISODE
        for other in answers
    )


def _cause(answer: SizeAnswer, answers: Sequence[SizeAnswer]) -> Refusal:
    """The cause of the refusal ``answer``: as stated, else as the last answer shows that explains
    it.
    """
    cause = answer.refusal
    assert cause is not None, "it was refused"
    if cause not in (Refusal.SIZE, Refusal.WORTH):
        return cause
    near = [other for other in answers if abs(other.at - answer.at) <= EPISODE]
    smaller_refused = any(_is_none_smaller(answer, other) for other in near)
    for other in near:
        if other.refusal is None:
            cause = _explanation(answer, other, smaller_refused) or cause
    return cause


def _is_none_smaller(refused: SizeAnswer, other: SizeAnswer) -> bool:
    """True when ``other`` shows that no smaller amount is taken: one was refused as well, or its
    step.
    """
    smaller = next_smaller(refused.amount)
    if other.refusal is Refusal.STEP:
        return places(other.amount) <= places(smaller)
    return other.refusal is refused.refusal and other.amount <= smaller


def _explanation(refused: SizeAnswer, taken: SizeAnswer, smaller_refused: bool) -> Refusal | None:
    """The cause of a refusal, given that ``taken`` was taken; None when that proves nothing."""
    if refused.refusal is Refusal.WORTH:
        return Refusal.TOO_LARGE if _worth(taken) < _worth(refused) else Refusal.TOO_SMALL
    as_fine = places(taken.amount) >= places(refused.amount)
    if taken.amount < refused.amount:
        return Refusal.TOO_LARGE if as_fine else None
    if not as_fine:
        return Refusal.STEP
    # Both its step and its size were taken. Only a minimum is left, or a maximum that was
    # lowered since; then a smaller amount is taken.
    return Refusal.TOO_SMALL if smaller_refused else None


def _contradicts(taken: SizeAnswer, refused: _Refused) -> bool:
    """True when ``taken``, which came later, shows that the market has changed since."""
    if refused.cause is Refusal.TOO_SMALL:
        return taken.amount <= refused.answer.amount
    as_fine = places(taken.amount) >= places(refused.answer.amount)
    if refused.cause is Refusal.STEP:
        return as_fine
    if refused.stated is Refusal.WORTH:
        return _worth(taken) >= _worth(refused.answer)
    as_large = taken.amount >= refused.answer.amount
    return as_large and (as_fine or refused.cause is not Refusal.SIZE)


def _worth(answer: SizeAnswer) -> Decimal:
    return answer.amount * (answer.price or 1)


def _short_of_funds(answers: Sequence[SizeAnswer], side: Side, now: datetime) -> int:
    count = 0
    for answer in answers:
        if answer.side is side and answer.refusal is None:
            count = 0
        elif answer.side is side and answer.refusal is Refusal.BALANCE:
            count += abs(now - answer.at) < EPISODE
    return count
