"""The result of a bot: realised profit and loss in quote, at average cost, net of fees.

Two rules decide everything. *Only an order realises anything*: coins that leave a bot's book
without one (coins that are gone, a short that is not bought back) leave at their cost, because the
price at which the user parted with them is unknown. *A fee is realised with the order that paid
it*, one in base at the price of its own fill; so a position is valued at the bare price paid for
it.

A fee that is not reported, or in a third asset, is not in here: its worth in quote is unknown.
"""

from __future__ import annotations

from datetime import date, datetime, timezone
from decimal import Context, Decimal
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from execsvc.model.market import ZERO, exact_sum, plain
from execsvc.model.order import Fill, Side
from execsvc.model.position import Position

_SMALLEST_MONEY = Decimal("1e-18")
_SHOWN_MONEY = Decimal("1e-8")
_WIDE = Context(prec=400)


class Result(BaseModel):
    """The result that a bot has realised in ``currency``, in all and on the UTC day ``day``."""

    model_config = ConfigDict(frozen=True)

    currency: str
    realised: Decimal
    today: Decimal
    day: date

    def shown(self, day: date) -> dict[str, str | None]:
        """The result as ``/status`` shows it on ``day``: decimal strings, to the eighth decimal."""
        today = self.today if self.day == day else ZERO
        return {
            "currency": self.currency,
            "realised": _text(self.realised),
            "today": _text(today),
        }


def _text(money: Decimal) -> str:
    return plain(money.quantize(_SHOWN_MONEY, context=_WIDE) or ZERO)  # never "-0"


def unstarted(currency: str | None) -> dict[str, str | None]:
    """The result of a bot that never traded, as ``/status`` shows it."""
    return {"currency": currency, "realised": "0", "today": "0"}


def unknown(currency: str | None) -> dict[str, str | None]:
    """A result that is not known, as ``/status`` shows it: unknown is not zero."""
    return {"currency": currency, "realised": None, "today": None}


class Effect(NamedTuple):
    """The changes by one order, in quote: the realised result, and the two sides of the book."""

    realised: Decimal
    cost: Decimal
    proceeds: Decimal


class Basis(BaseModel):
    """The cost of a position.

    Quantities in base units; ``cost`` and ``proceeds`` in quote.

    ``cost`` is the price paid for all of ``tracked``, ``proceeds`` the price that all of
    ``sold_short`` was sold for, both before fees. Zero beside a quantity means that the cost is
    unknown; its sale realises its fee only.
    """

    model_config = ConfigDict(frozen=True)

    tracked: Decimal = ZERO
    cost: Decimal = ZERO
    sold_short: Decimal = ZERO
    proceeds: Decimal = ZERO

    def at(self, position: Position) -> Basis:
        """This basis for the quantities of ``position``, when they differ.

        A quantity that went without an order takes its part of the cost along; one that came
        unrecorded (booked by an older version) cost the entry price, as far as that is known.
        """
        price = position.entry_price
        return Basis(
            tracked=position.tracked,
            cost=_scaled(self.cost, self.tracked, position.tracked, price),
            sold_short=position.sold_short,
            proceeds=_scaled(self.proceeds, self.sold_short, position.sold_short, price),
        )

    def after(
        self, side: Side, fill: Fill, price: Decimal | None, short: bool
    ) -> tuple[Basis, Effect]:
        """This basis once ``fill`` of an order on ``side`` is booked, and the changes by it.

        ``price`` values a fill that states no price of its own; with neither, it realises its fees
        only. ``short``: the order sold base that the user owns, or buys it back.
        """
        if fill.filled == 0:
            return self, Effect(ZERO, ZERO, ZERO)
        worth = _worth(fill, price)
        if short:
            effect = self._short(side, fill, worth)
            sold_short = max(exact_sum(self.sold_short, -side.sign * fill.filled), ZERO)
            return self._plus(effect, self.tracked, sold_short), effect
        effect = self._bought(fill, worth) if side is Side.BUY else self._sold(fill, worth)
        tracked = max(exact_sum(self.tracked, fill.base_change(side)), ZERO)
        return self._plus(effect, tracked, self.sold_short), effect

    def without(self, side: Side, fill: Fill, effect: Effect, short: bool) -> Basis:
        """This basis had ``fill``, which had ``effect``, never been booked."""
        undone = Effect(-effect.realised, -effect.cost, -effect.proceeds)
        if short:
            sold_short = exact_sum(self.sold_short, side.sign * fill.filled)
            return self._plus(undone, self.tracked, max(sold_short, ZERO))
        tracked = exact_sum(self.tracked, -fill.base_change(side))
        return self._plus(undone, max(tracked, ZERO), self.sold_short)

    def _plus(self, effect: Effect, tracked: Decimal, sold_short: Decimal) -> Basis:
        return Basis(
            tracked=tracked,
            cost=max(exact_sum(self.cost, effect.cost), ZERO),
            sold_short=sold_short,
            proceeds=max(exact_sum(self.proceeds, effect.proceeds), ZERO),
        )

    def _bought(self, fill: Fill, worth: Decimal | None) -> Effect:
        if worth is None:
            return Effect(-_money(fill.quote_fee), ZERO, ZERO)
        fee = _share(worth, exact_sum(fill.filled, -fill.base_change(Side.BUY)), fill.filled)
        return Effect(exact_sum(-fee, -_money(fill.quote_fee)), exact_sum(worth, -fee), ZERO)

    def _sold(self, fill: Fill, worth: Decimal | None) -> Effect:
        """The effect of a sale; a fee in base is base that was sold for nothing."""
        gone = -fill.base_change(Side.SELL)
        ours = min(gone, self.tracked)
        released = _share(self.cost, ours, self.tracked) if self.tracked else ZERO
        earned = ZERO
        if worth is not None and released > 0:
            earned = exact_sum(_share(worth, ours, gone), -released)
        return Effect(exact_sum(earned, -_money(fill.quote_fee)), -released, ZERO)

    def _short(self, side: Side, fill: Fill, worth: Decimal | None) -> Effect:
        fee = _money(fill.quote_fee)
        if worth is not None:
            fee = exact_sum(fee, _share(worth, fill.base_fee or ZERO, fill.filled))
        if side is Side.SELL:
            return Effect(-fee, ZERO, worth or ZERO)
        ours = min(fill.filled, self.sold_short)
        released = _share(self.proceeds, ours, self.sold_short) if self.sold_short else ZERO
        earned = ZERO
        if worth is not None and released > 0:
            earned = exact_sum(released, -_share(worth, ours, fill.filled))
        return Effect(exact_sum(earned, -fee), ZERO, -released)


def _worth(fill: Fill, price: Decimal | None) -> Decimal | None:
    """The worth of a fill, in quote and before fees; None when it is unknown."""
    if fill.cost:
        return _money(fill.cost)
    known = fill.price or price
    return None if known is None else _money(_WIDE.multiply(fill.filled, known))


def _scaled(money: Decimal, before: Decimal, now: Decimal, price: Decimal | None) -> Decimal:
    """``money`` for ``before`` base units, once they are ``now``."""
    if now <= before:
        return _share(money, now, before) if before else ZERO
    return exact_sum(money, _money(_WIDE.multiply(exact_sum(now, -before), price or ZERO)))


def _share(money: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """The part of ``money`` that falls to ``part`` of ``whole``, all of it to all of that."""
    if part == whole:
        return money
    return _money(_WIDE.divide(_WIDE.multiply(money, part), whole))


def _money(value: Decimal) -> Decimal:
    """``value`` to the eighteenth decimal, so that sums of money stay exact."""
    return value.quantize(_SMALLEST_MONEY, context=_WIDE)


def utc_day(moment: datetime) -> date:
    """The day that ``moment`` counts for."""
    return moment.astimezone(timezone.utc).date()
