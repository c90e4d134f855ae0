"""The quantity of one order of a request, by what its turn has read. Changes nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from execsvc.errors import OrderRefused
from execsvc.execution.next_amount import usable_funds
from execsvc.execution.order_sizes import OrderSizes, Sizing
from execsvc.execution.sizing import (
    affordable_amount,
    buy_amount,
    refuse_unsellable_entry,
    sell_amount,
)
from execsvc.execution.venues.venue import Funds
from execsvc.model.bot import Binding
from execsvc.model.market import ZERO, exact_sum, plain, round_down
from execsvc.model.order import OrderRequest, Purpose, Side
from execsvc.model.position import Position
from execsvc.store.bot_store import BotStore


class Sized(NamedTuple):
    """The quantity of one order, in base units."""

    amount: Decimal
    wanted: Decimal
    """The quantity before the sizes that the market takes: what is left of it may follow."""
    rest_is_lost: bool = False
    """True for a buy-back after which the rest of the short can never be bought."""


class UnpaidBuyBack(OrderRefused):
    """Free quote that pays for no part of a short that the exchange would take."""


class OrderQuantity:
    """Quantities of one bot's orders under one binding, in base units.

    Each method raises OrderRefused where a balance, a cap or a minimum leaves too little.
    """

    def __init__(self, binding: Binding, ledger: BotStore, sizes: OrderSizes) -> None:
        self._binding = binding
        self._ledger = ledger
        self._sizes = sizes

    def of(
        self,
        request: OrderRequest,
        funds: Funds,
        position: Position,
        cap: Decimal | None,
        sizing: Sizing,
    ) -> Sized:
        """The quantity to order now; ``sizing`` knows which were refused of the same request.

        ``cap`` is the most that an entry may be, None without one. Raises UnpaidBuyBack.
        """
        if request.purpose is Purpose.ENTRY:
            return self._entry(request.quantity, funds, position, cap, sizing)
        if request.purpose is Purpose.SHORT_ENTRY:
            return self._short_entry(request.quantity, funds, cap, sizing)
        if request.purpose is Purpose.SHORT_EXIT:
            return self._short_exit(request, funds, position, sizing)
        return self._exit(request, funds, position, sizing)

    def most_of_entry(self, request: OrderRequest, funds: Funds) -> Decimal:
        """The most that an entry could be by ``funds`` alone, which have a price."""
        assert funds.price is not None, "an entry without a price is refused"
        known = self._sizes.known(funds.price)
        if request.purpose is Purpose.ENTRY:
            free = usable_funds(funds.free_quote, Side.BUY, known)
            return min(request.quantity, affordable_amount(free, funds.price))
        free = usable_funds(funds.free_base, Side.SELL, known)
        return min(request.quantity, max(exact_sum(free, -funds.tracked_base), ZERO))

    def _entry(
        self,
        quantity: Decimal,
        funds: Funds,
        position: Position,
        cap: Decimal | None,
        sizing: Sizing,
    ) -> Sized:
        assert funds.price is not None, "a buy has a ticker"
        known = self._sizes.known(funds.price)
        decimals = self._sizes.of_strategy(funds.limits)
        free_quote = usable_funds(funds.free_quote, Side.BUY, known)
        try:
            wanted = buy_amount(quantity, funds.price, free_quote, cap, decimals, funds.limits)
        except OrderRefused as refusal:
            if not funds.reserved_quote:
                raise
            raise OrderRefused(
                f"{refusal}; {plain(funds.reserved_quote)} {self._binding.quote} of the free balance "
                f"are positions of bots of this account, and are not spent"
            ) from None
        amount = sizing.amount(wanted, decimals, funds.limits, funds.price)
        fee_rate = self._ledger.fee_rate(self._binding)
        held = position.tracked
        refuse_unsellable_entry(amount, held, fee_rate, funds.limits, funds.price, known)
        return Sized(amount, wanted)

    def _exit(
        self, request: OrderRequest, funds: Funds, position: Position, sizing: Sizing
    ) -> Sized:
        limits, tracked, quantity = funds.limits, position.tracked, request.quantity
        free = usable_funds(funds.free_base, Side.SELL, self._sizes.known(funds.price))
        decimals = self._sizes.of_strategy(limits)
        wanted = sell_amount(quantity, free, tracked, decimals)
        whole = request.purpose is Purpose.LIQUIDATION or quantity >= tracked
        if whole and limits.refuses(wanted, funds.price):
            # The strategy's own precision is for its orders; it must not strand a position.
            decimals = limits.decimals
            wanted = sell_amount(quantity, free, tracked, decimals)
        if limits.refuses(wanted, funds.price):
            raise OrderRefused(
                f"a sell of {plain(wanted)} is below the minimum (asked: {plain(quantity)}, "
                f"tracked: {plain(tracked)}, free: {plain(funds.free_base)})"
            )
        all_of_it = tracked if whole else None
        return Sized(sizing.amount(wanted, decimals, limits, funds.price, all_of_it), wanted)

    def _short_entry(
        self, quantity: Decimal, funds: Funds, cap: Decimal | None, sizing: Sizing
    ) -> Sized:
        if funds.price is None:
            raise OrderRefused("without a ticker nothing says what the entry is worth")
        known = self._sizes.known(funds.price)
        free = usable_funds(funds.free_base, Side.SELL, known)
        most = min(quantity, max(exact_sum(free, -funds.tracked_base), ZERO))
        if cap is not None:
            most = min(most, cap)
        sized = self._sized("sell", most, funds, sizing)
        refuse_unsellable_entry(sized.amount, ZERO, ZERO, funds.limits, funds.price, known)
        return sized

    def _short_exit(
        self, request: OrderRequest, funds: Funds, position: Position, sizing: Sizing
    ) -> Sized:
        assert funds.price is not None, "a buy has a ticker"
        wanted = min(request.quantity, position.sold_short)
        affordable = affordable_amount(funds.free_quote, funds.price)
        try:
            payable = self._rounded("buy-back", min(wanted, affordable), funds)
        except OrderRefused as refusal:
            raise UnpaidBuyBack(str(refusal)) from None
        free = usable_funds(funds.free_quote, Side.BUY, self._sizes.known(funds.price))
        possible = min(payable, affordable_amount(free, funds.price))
        sized = self._sized("buy-back", possible, funds, sizing)
        all_of_it = affordable < wanted and sized.amount == sized.wanted
        rest = exact_sum(wanted, -sized.amount)
        rest_is_lost = all_of_it or funds.limits.refuses(rest, funds.price)
        return sized._replace(rest_is_lost=rest_is_lost)

    def _rounded(self, what: str, wanted: Decimal, funds: Funds) -> Decimal:
        rounded = round_down(max(wanted, ZERO), self._sizes.of_strategy(funds.limits))
        if funds.limits.refuses(rounded, funds.price):
            raise OrderRefused(f"a {what} of {plain(rounded)} is below the minimum")
        return rounded

    def _sized(self, what: str, most: Decimal, funds: Funds, sizing: Sizing) -> Sized:
        decimals = self._sizes.of_strategy(funds.limits)
        wanted = self._rounded(what, most, funds)
        return Sized(sizing.amount(wanted, decimals, funds.limits, funds.price), wanted)
