"""Comparison of an account with its ledgers, for ledgers that may be older than it.

A state directory from an hour ago (a snapshot of a machine, a backup) holds positions that were
closed since. Sold once more, they would be coins that no bot bought. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from enum import Enum
from itertools import combinations
from typing import NamedTuple

from execsvc.errors import Unavailable
from execsvc.model.balance import Balance
from execsvc.model.market import ZERO, Symbol, exact_sum, plain

WITHIN = Decimal("0.02")
"""The part of a quantity, or of its worth, by which a balance may differ from it: a fee, a price."""
MOST_APART = 10
"""The most positions of one coin that are tried in every combination; of more, each and all
together.
"""


class Discrepancy(str, Enum):
    """A difference of an account from an open position in a ledger. The values are kept in journals."""

    GONE = "gone"
    """Closed since: the account holds less of its base by it, and more of its quote by its worth."""
    CONTESTED = "contested"
    """The account holds less of its base by it, without a sign that it was sold."""


class OpenPosition(NamedTuple):
    """A bot's position by its ledger; ``entry_price`` in quote, None when it is not known."""

    bot_id: str
    symbol: str
    tracked: Decimal
    entry_price: Decimal | None

    @property
    def base(self) -> str:
        """The asset that is held."""
        return Symbol.parse(self.symbol).base

    @property
    def quote(self) -> str:
        """The asset that a sale brings in."""
        return Symbol.parse(self.symbol).quote

    def detail(self, discrepancy: Discrepancy) -> str:
        """The meaning of ``discrepancy`` for the position, as a text for the operator."""
        less = f"the account holds {plain(self.tracked)} {self.base} less than after its last fill"
        if discrepancy is Discrepancy.GONE:
            return f"{less}, and its worth more of {self.quote}: the position was closed elsewhere"
        return f"{less}, and not its worth more of {self.quote}"


def is_readable(balance: Balance, position: OpenPosition) -> bool:
    """False where a row of ``balance`` for an asset of ``position`` is odd."""
    try:
        balance.holding(position.base)
        balance.holding(position.quote)
    except Unavailable:
        return False
    return True


def held_of(
    balance: Balance, positions: Sequence[OpenPosition], locked_then: Mapping[str, Decimal]
) -> dict[str, Decimal]:
    """The amounts of each asset of ``positions`` that would be free, were as much locked as at the
    last fill.

    The balance expected after a fill is counted in free amounts, and the user may have put coins
    into an order since, or had some in one then (``locked_then``, as far as it is known). Free
    alone where what is locked now is not known. Raises Unavailable where :func:`is_readable` is
    False.
    """
    holdings = [balance.holding(a) for a in {a for p in positions for a in (p.base, p.quote)}]
    return {
        one.asset: one.free
        if one.total is None
        else exact_sum(one.total, -locked_then.get(one.asset, ZERO))
        for one in holdings
    }


def compare(
    positions: Sequence[OpenPosition],
    expected: Mapping[str, Decimal],
    actual: Mapping[str, Decimal],
    prices: Mapping[str, Decimal],
) -> dict[OpenPosition, Discrepancy]:
    """The positions that the account does not hold any more, with the fate of each.

    ``expected``: the holding of each asset once the last known fill showed; an asset without an
    entry is not judged. ``actual``: as :func:`held_of` returns. ``prices``: by symbol, as far as
    they are known.
    """
    missing: list[OpenPosition] = []
    for base in {position.base for position in positions}:
        if base in expected and base in actual:
            less = exact_sum(expected[base], -actual[base])
            missing += _missing([one for one in positions if one.base == base], less)
    discrepancies: dict[OpenPosition, Discrepancy] = {}
    for quote in {position.quote for position in missing}:
        found = [position for position in missing if position.quote == quote]
        sold = _is_paid(found, quote, expected, actual, prices)
        discrepancies.update(
            dict.fromkeys(found, Discrepancy.GONE if sold else Discrepancy.CONTESTED)
        )
    return discrepancies


def _missing(held: list[OpenPosition], less: Decimal) -> list[OpenPosition]:
    """The positions of ``held`` whose sum is ``less``, the missing quantity; the closest sum
    counts.
    """
    if less <= ZERO:
        return []
    best: tuple[Decimal, list[OpenPosition]] | None = None
    for some in _combinations(held):
        total = exact_sum(*(position.tracked for position in some))
        off = abs(exact_sum(total, -less))
        if total > ZERO and off <= total * WITHIN and (best is None or off < best[0]):
            best = off, some
    return best[1] if best is not None else []


def _combinations(held: list[OpenPosition]) -> Iterator[list[OpenPosition]]:
    if len(held) > MOST_APART:
        yield from ([position] for position in held)
        yield held
        return
    for count in range(1, len(held) + 1):
        yield from (list(some) for some in combinations(held, count))


def _is_paid(
    sold: list[OpenPosition],
    quote: str,
    expected: Mapping[str, Decimal],
    actual: Mapping[str, Decimal],
    prices: Mapping[str, Decimal],
) -> bool:
    """True when ``quote`` is more by the worth of the positions, at some price since their entry."""
    if quote not in expected or quote not in actual:
        return False
    low = high = ZERO
    for position in sold:
        known = [p for p in (position.entry_price, prices.get(position.symbol)) if p is not None]
        if not known:
            return False
        low += position.tracked * min(known) * (1 - WITHIN)
        high += position.tracked * max(known) * (1 + WITHIN)
    return low <= exact_sum(actual[quote], -expected[quote]) <= high
