"""Conditions under which a guard trips, and the reads that they are judged by. Without I/O or clock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from execsvc.execution.guards.limits import GuardName
from execsvc.model.market import plain, round_down

MINUTE = timedelta(minutes=1)
_CENTS = 8


class Read(NamedTuple):
    """One answer. ``asked_at`` and ``answered_at`` in monotonic seconds of our own.

    ``behind`` is by how many seconds its own stamp lay behind our clock when it came (negative:
    ahead of it); None where it has no stamp, as a ticker never has.
    """

    what: str
    asked_at: float
    answered_at: float
    behind: float | None = None

    def age(self, moment: float) -> float:
        """Age in seconds at ``moment``, at most: the answer may be as old as the time of the
        question.
        """
        since_asked = moment - self.asked_at
        if self.behind is None:
            return since_asked
        return max(since_asked, self.behind + moment - self.answered_at)


class MarketReads:
    """The reads of the present tick."""

    def __init__(self) -> None:
        self._reads: list[Read] = []

    @property
    def all(self) -> tuple[Read, ...]:
        """All reads of the tick, in the order in which the answers came."""
        return tuple(self._reads)

    def add(self, read: Read) -> None:
        """Add an answer."""
        self._reads.append(read)

    def forget(self) -> None:
        """Forget the reads of the tick before."""
        self._reads.clear()


class Trip(NamedTuple):
    """A guard that has to be tripped, and the reason in words.

    ``certain`` is False when the guard trips because a value is unknown; such a trip ends once the
    value is known.
    """

    guard: GuardName
    detail: str
    certain: bool = True


def order_notional(limit: Decimal | None, amount: Decimal, price: Decimal | None) -> Trip | None:
    """An entry of ``amount`` base units at ``price`` is worth more than ``limit`` quote."""
    if limit is None:
        return None
    if price is None:
        return Trip(GuardName.ORDER_NOTIONAL, "without a ticker its worth is unknown")
    worth = amount * price
    if worth <= limit:
        return None
    detail = f"an entry worth {_money(worth)} is over the limit of {plain(limit)}"
    return Trip(GuardName.ORDER_NOTIONAL, detail)


def order_rate(limit: int | None, sent: Sequence[datetime]) -> Trip | None:
    """As many entries as ``limit`` were ``sent`` within the last minute."""
    if limit is None or len(sent) < limit:
        return None
    return Trip(
        GuardName.ORDER_RATE, f"{len(sent)} entries within a minute reach the limit of {limit}"
    )


def daily_loss(limit: Decimal | None, realised: Decimal) -> Trip | None:
    """The loss ``realised`` today reaches ``limit`` (quote)."""
    if limit is None or realised > -limit:
        return None
    detail = f"{_money(realised)} realised today reach the limit of {plain(limit)}"
    return Trip(GuardName.DAILY_LOSS, detail)


def data_age(limit: float | None, reads: Iterable[Read], moment: float) -> Trip | None:
    """Some answer in ``reads`` is older than ``limit`` seconds at ``moment``, of the monotonic
    clock.

    A time stamp that is ahead of our clock by more than that is not believed either.
    """
    if limit is None:
        return None
    for read in reads:
        if read.behind is not None and read.behind < -limit:
            detail = f"{read.what} is stamped {-read.behind:.1f} s ahead of our clock"
            return Trip(GuardName.DATA_AGE, f"{detail}, the limit is {limit:g} s")
        if read.age(moment) > limit:
            detail = f"{read.what} is {read.age(moment):.1f} s old"
            return Trip(GuardName.DATA_AGE, f"{detail}, the limit is {limit:g} s")
    return None


def was_fresh(limit: float | None, reads: Sequence[Read]) -> bool:
    """True when there are ``reads``, and each was young enough when it came."""
    return bool(reads) and all(data_age(limit, [read], read.answered_at) is None for read in reads)


def not_known(guard: GuardName, what: str, fault: Exception) -> Trip:
    """A trip of ``guard`` because its value could not be read: then nothing is entered."""
    return Trip(guard, f"{what}: {fault}", certain=False)


def _money(amount: Decimal) -> str:
    return plain(round_down(amount, _CENTS))
