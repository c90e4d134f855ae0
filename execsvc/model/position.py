"""A bot's position by its own ledger, computed from its fills."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from execsvc.model.market import ZERO, exact_sum
from execsvc.model.order import Fill, Side


class Position(BaseModel):
    """The base that a bot bought and still holds of one symbol, net of base fees.

    ``tracked`` and ``sold_short`` are in base units, ``entry_price`` in quote per base. ``dust`` is
    True when the tracked quantity is too little to be sold.
    """

    model_config = ConfigDict(frozen=True)

    tracked: Decimal = ZERO
    sold_short: Decimal = ZERO
    entry_price: Decimal | None = None
    opened_at: datetime | None = None
    dust: bool = False

    @property
    def is_flat(self) -> bool:
        """True when nothing is tracked but, at most, dust."""
        return self.tracked == 0 or self.dust

    @property
    def side(self) -> str | None:
        """``BUY``, ``SELL`` or None when flat."""
        if not self.is_flat:
            return "BUY"
        return "SELL" if self.sold_short > 0 else None

    def after(self, side: Side, fill: Fill, at: datetime, short: bool = False) -> Position:
        """This position once ``fill`` of an order on ``side`` is booked.

        ``short``: the order sold base that the user owns, or buys it back.
        """
        if short:
            return self._after_short(side, fill, at)
        tracked = max(exact_sum(self.tracked, fill.base_change(side)), ZERO)
        if side is Side.SELL or fill.filled == 0:
            return self._holding(tracked)
        if self.is_flat:
            return Position(
                tracked=tracked,
                sold_short=self.sold_short,
                entry_price=fill.price,
                opened_at=at,
            )
        return self.model_copy(
            update={"tracked": tracked, "dust": False, "entry_price": self._averaged(fill)}
        )

    def without(self, quantity: Decimal) -> Position:
        """This position once ``quantity`` of it is booked as gone."""
        return self._holding(max(exact_sum(self.tracked, -quantity), ZERO))

    def corrected(
        self,
        change: Decimal,
        short: bool = False,
        price: Decimal | None = None,
        at: datetime | None = None,
    ) -> Position:
        """This position once an earlier booking of it turns out ``change`` base units off.

        ``price`` and ``at`` are those of the order: a position that its correction opens was
        entered then.
        """
        if short:
            position = self._short_of(max(exact_sum(self.sold_short, -change), ZERO))
        else:
            tracked = max(exact_sum(self.tracked, change), ZERO)
            position = self._holding(tracked).model_copy(update={"dust": False})
        if position.side is None:
            return position
        update = {
            "entry_price": price if position.entry_price is None else position.entry_price,
            "opened_at": position.opened_at or at,
        }
        return position.model_copy(update=update)

    def _after_short(self, side: Side, fill: Fill, at: datetime) -> Position:
        """This position after a short order: fees in base are a cost, and change neither part of
        it.
        """
        sold_short = max(exact_sum(self.sold_short, -side.sign * fill.filled), ZERO)
        if side is Side.BUY or fill.filled == 0:
            return self._short_of(sold_short)
        opening = {"sold_short": sold_short, "entry_price": fill.price, "opened_at": at}
        return self.model_copy(update=opening)

    def _short_of(self, sold_short: Decimal) -> Position:
        update: dict[str, object] = {"sold_short": sold_short}
        if sold_short == 0 and self.is_flat:
            update |= {"entry_price": None, "opened_at": None}
        return self.model_copy(update=update)

    def without_short(self) -> Position:
        """This position without a short: the base that was sold is not to be bought back."""
        return self._short_of(ZERO)

    def _holding(self, tracked: Decimal) -> Position:
        if tracked == 0 and self.side == "SELL":
            return self.model_copy(update={"tracked": ZERO, "dust": False})
        if tracked == 0:
            return Position(sold_short=self.sold_short)
        return self.model_copy(update={"tracked": tracked})

    def _averaged(self, fill: Fill) -> Decimal | None:
        if self.entry_price is None or fill.price is None:
            return fill.price or self.entry_price
        cost = self.tracked * self.entry_price + fill.filled * fill.price
        return cost / (self.tracked + fill.filled)
