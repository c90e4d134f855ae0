"""Sells base that the user owns, and buys it back: the one exception, asked for by the customer.

What is sold so is kept as ``sold_short`` beside what the bot tracks, and never counts as a coin
of any bot.
"""

from __future__ import annotations

from decimal import Decimal

from execsvc.errors import OrderRefused
from execsvc.execution.allocation import refuse_without_allocation
from execsvc.execution.next_amount import believed
from execsvc.execution.order_sizes import Sizing
from execsvc.execution.parts import Placed, in_parts
from execsvc.execution.sizing import affordable_amount
from execsvc.execution.way_out import refuse_without_way_out
from execsvc.model.market import ZERO, exact_sum, plain, round_down
from execsvc.model.order import Fill, Side
from execsvc.runner.desk import OrderDesk
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
        refuse_without_allocation(self._desk.allocation)
        self._desk.refuse_if_blocked()
        self._desk.guards.admit()

        def size(funds: Funds, sizing: Sizing) -> Decimal:
            # Within the account's turn: no bot's buy can come between this and the order.
            known = self._desk.sizes.known(funds.price)
            owned = self._owned(believed(funds.free_base, Side.SELL, known))
            wanted = min(amount, owned)
            if funds.price is None:
                raise OrderRefused("without a ticker nothing says what the entry is worth")
            allowed = self._desk.allowed(wanted, ZERO, Side.SELL, funds.price)
            if allowed is not None:
                wanted = min(wanted, allowed)
            sized = self._sized("sell", wanted, funds, sizing)
            refuse_without_way_out(sized, ZERO, ZERO, funds.limits, funds.price, known)
            self._desk.guards.admit_order(sized, funds.price, funds.priced_at)
            return sized

        return self._desk.place(Side.SELL, size, reason, state=state, short=True).fill

    def buy_back(self, amount: Decimal, reason: str, state: str | None) -> Fill:
        """Buy back up to ``amount`` of what was sold, in parts if need be, and drop what cannot be.

        That is what the free quote does not pay for, and what is too little to be bought. Raises
        OrderRefused when nothing was bought.
        """
        self._desk.refuse_if_blocked()
        return in_parts(amount, lambda left: self._buy_back_part(left, reason, state))

    def _buy_back_part(self, amount: Decimal, reason: str, state: str | None) -> Placed:
        rest_is_lost = False

        def size(funds: Funds, sizing: Sizing) -> Decimal:
            nonlocal rest_is_lost
            assert funds.price is not None, "a buy has a ticker"
            wanted = min(amount, self._desk.position.sold_short)
            affordable = affordable_amount(funds.free_quote, funds.price)
            try:
                possible = self._rounded("buy-back", min(wanted, affordable), funds)
            except OrderRefused as refusal:
                self._desk.drop_short(str(refusal))
                raise
            free = believed(funds.free_quote, Side.BUY, self._desk.sizes.known(funds.price))
            possible = min(possible, affordable_amount(free, funds.price))
            sized = self._sized("buy-back", possible, funds, sizing)
            rest = exact_sum(wanted, -sized)
            all_of_it = affordable < wanted and sized == sizing.wanted
            rest_is_lost = all_of_it or funds.limits.refuses(rest, funds.price)
            return sized

        placed = self._desk.place(Side.BUY, size, reason, state=state, short=True)
        whole = placed.fill.filled == placed.amount
        if self._desk.position.sold_short > 0 and rest_is_lost and whole:
            self._desk.drop_short("the free quote pays for no more, or it is too little")
        return placed

    def _owned(self, free: Decimal) -> Decimal:
        return max(exact_sum(free, -self._desk.venue.tracked_by_all()), ZERO)

    def _rounded(self, what: str, wanted: Decimal, funds: Funds) -> Decimal:
        rounded = round_down(max(wanted, ZERO), self._desk.sizes.of_strategy(funds.limits))
        if funds.limits.refuses(rounded, funds.price):
            raise OrderRefused(f"a {what} of {plain(rounded)} is below the minimum")
        return rounded

    def _sized(self, what: str, wanted: Decimal, funds: Funds, sizing: Sizing) -> Decimal:
        decimals = self._desk.sizes.of_strategy(funds.limits)
        rounded = self._rounded(what, wanted, funds)
        return sizing.amount(rounded, decimals, funds.limits, funds.price)
