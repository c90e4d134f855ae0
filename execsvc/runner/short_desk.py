"""Sells base that the user owns, and buys it back: the one exception, asked for by the customer.

What is sold so is kept as ``sold_short`` beside what the bot tracks, and never counts as a coin
of any bot.
"""

from __future__ import annotations

from decimal import Decimal

from execsvc.errors import OrderRefused
from execsvc.model.market import ZERO, exact_sum, plain, round_down
from execsvc.model.order import Fill, Side
from execsvc.runner.desk import OrderDesk
from execsvc.runner.sizing import SPENDABLE
from execsvc.runner.venue import Funds


class ShortDesk:
    """The orders of ``desk``'s bot that do not touch what it tracks."""

    def __init__(self, desk: OrderDesk) -> None:
        self._desk = desk

    def free_base(self) -> Decimal:
        """Base that is free and tracked by no bot. Raises Unavailable, OrderRefused."""
        free = self._desk.venue.balance().free(self._desk.binding.base)
        return self._owned(free)

    def sell_owned(self, amount: Decimal, reason: str, state: str | None) -> Fill:
        """Sell up to ``amount`` of the user's own base. Raises OrderRefused when nothing was sold."""
        if self._desk.position.side is not None:
            raise OrderRefused("a position is open")
        self._desk.refuse_if_blocked()
        self._desk.guards.admit()

        def size(funds: Funds) -> Decimal:
            # Within the account's turn: no bot's buy can come between this and the order.
            wanted = min(amount, self._owned(funds.free_base))
            if self._desk.allocation is not None:
                if funds.price is None:
                    raise OrderRefused("without a ticker the allocation cannot be kept")
                wanted = min(wanted, self._desk.allocation / funds.price)
            sized = self._rounded("sell", wanted, funds)
            self._desk.guards.admit_order(sized, funds.price, funds.priced_at)
            return sized

        return self._desk.place(Side.SELL, size, reason, state=state, short=True)

    def buy_back(self, amount: Decimal, reason: str, state: str | None) -> Fill:
        """Buy back up to ``amount`` of what was sold, and drop what cannot be.

        That is what the free quote does not pay for, and what is too little to be bought. Raises
        OrderRefused when nothing was bought.
        """
        self._desk.refuse_if_blocked()
        sized, rest_is_lost = ZERO, False

        def size(funds: Funds) -> Decimal:
            nonlocal sized, rest_is_lost
            assert funds.price is not None, "a buy has a ticker"
            wanted = min(amount, self._desk.position.sold_short)
            affordable = funds.free_quote * SPENDABLE / funds.price
            try:
                sized = self._rounded("buy-back", min(wanted, affordable), funds)
            except OrderRefused as refusal:
                self._desk.drop_short(str(refusal))
                raise
            rest_is_lost = affordable < wanted or funds.limits.refuses(
                exact_sum(wanted, -sized), funds.price
            )
            return sized

        fill = self._desk.place(Side.BUY, size, reason, state=state, short=True)
        if self._desk.position.sold_short > 0 and rest_is_lost and fill.filled == sized:
            self._desk.drop_short("the free quote pays for no more, or it is too little")
        return fill

    def _owned(self, free: Decimal) -> Decimal:
        return max(exact_sum(free, -self._desk.venue.tracked_by_all()), ZERO)

    def _rounded(self, what: str, wanted: Decimal, funds: Funds) -> Decimal:
        rounded = round_down(max(wanted, ZERO), self._desk.step.of_strategy(funds.limits))
        if funds.limits.refuses(rounded, funds.price):
            raise OrderRefused(f"a {what} of {plain(rounded)} is below the minimum")
        return rounded
