"""The quantity of one order of a request, within the account's turn. Reads, and changes nothing."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal

from execsvc.errors import OrderRefused, Unavailable
from execsvc.execution.allocation import allowed, could_bind
from execsvc.execution.known_sizes import Known
from execsvc.execution.next_amount import believed
from execsvc.execution.order_sizes import OrderSizes, Sizing
from execsvc.execution.sizing import affordable_amount, buy_amount, sell_amount
from execsvc.execution.venues.venue import Funds, Venue
from execsvc.execution.way_out import refuse_without_way_out
from execsvc.model.bot import Binding
from execsvc.model.market import ZERO, exact_sum, plain, round_down
from execsvc.model.order import Side
from execsvc.model.order_request import OrderRequest, Purpose
from execsvc.model.position import Position
from execsvc.store.bot_store import BotStore


class OrderQuantity:
    """Quantities of one bot's orders under one binding, in base units.

    Each method raises OrderRefused where a balance, a cap or a minimum leaves too little.
    """

    def __init__(
        self,
        binding: Binding,
        ledger: BotStore,
        venue: Venue,
        sizes: OrderSizes,
        allocation: Decimal | None,
    ) -> None:
        self._binding = binding
        self._ledger = ledger
        self._venue = venue
        self._sizes = sizes
        self._allocation = allocation

    def of(
        self, request: OrderRequest, funds: Funds, position: Position, sizing: Sizing
    ) -> Decimal:
        """The quantity to order now; ``sizing`` knows which were refused of the same request."""
        if request.purpose is Purpose.ENTRY:
            return self._entry(request.quantity, funds, position, sizing)
        if request.purpose is Purpose.SHORT_ENTRY:
            return self._short_entry(request.quantity, funds, sizing)
        if request.purpose is Purpose.SHORT_EXIT:
            return self._short_exit(request, funds, position, sizing)
        return self._exit(request, funds, position, sizing)

    def of_the_user(self, free: Decimal) -> Decimal:
        """The part of the account's ``free`` base that no bot tracks."""
        return max(exact_sum(free, -self._venue.tracked_by_all()), ZERO)

    def payable(self, request: OrderRequest, funds: Funds, position: Position) -> Decimal:
        """The part of a buy-back that the free quote pays for. Raises OrderRefused if it is too little."""
        assert funds.price is not None, "a buy has a ticker"
        affordable = affordable_amount(funds.free_quote, funds.price)
        wanted = min(request.quantity, position.sold_short, affordable)
        return self._rounded("buy-back", wanted, funds)

    def _entry(
        self, quantity: Decimal, funds: Funds, position: Position, sizing: Sizing
    ) -> Decimal:
        assert funds.price is not None, "a buy has a ticker"
        known = self._sizes.known(funds.price)
        wanted = self._affordable_entry(quantity, funds.price, funds, position, known)
        decimals = self._sizes.of_strategy(funds.limits)
        sized = sizing.amount(wanted, decimals, funds.limits, funds.price)
        fee_rate = self._ledger.fee_rate(self._binding)
        refuse_without_way_out(sized, position.tracked, fee_rate, funds.limits, funds.price, known)
        return sized

    def _affordable_entry(
        self, quantity: Decimal, price: Decimal, funds: Funds, position: Position, known: Known
    ) -> Decimal:
        free_quote = believed(funds.free_quote, Side.BUY, known)
        possible = min(quantity, affordable_amount(free_quote, price))
        try:
            return buy_amount(
                quantity,
                price,
                free_quote,
                self._allowed(possible, position.tracked, Side.BUY, price),
                self._sizes.of_strategy(funds.limits),
                funds.limits,
            )
        except OrderRefused as refusal:
            if not funds.reserved_quote:
                raise
            raise OrderRefused(
                f"{refusal}; {plain(funds.reserved_quote)} {self._binding.quote} of the free balance "
                f"are positions of bots of this account, and are not spent"
            ) from None

    def _allowed(
        self, wanted: Decimal, held: Decimal, side: Side, ticker: Decimal
    ) -> Decimal | None:
        """Base units that the allocation allows beside ``held``; None where there is no cap.

        The allocation is judged at the price at which an entry on ``side`` trades, at the
        ``ticker`` when the book cannot be read.
        """
        if self._allocation is None:
            return None
        price = ticker
        if could_bind(wanted, held, self._allocation, ticker):
            with suppress(Unavailable):
                price = self._venue.best_price(side)
        return allowed(held, self._allocation, price)

    def _exit(
        self, request: OrderRequest, funds: Funds, position: Position, sizing: Sizing
    ) -> Decimal:
        limits, tracked, quantity = funds.limits, position.tracked, request.quantity
        free = believed(funds.free_base, Side.SELL, self._sizes.known(funds.price))
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
        return sizing.amount(wanted, decimals, limits, funds.price, all_of_it)

    def _short_entry(self, quantity: Decimal, funds: Funds, sizing: Sizing) -> Decimal:
        # Within the account's turn: no bot's buy can come between this and the order.
        known = self._sizes.known(funds.price)
        wanted = min(quantity, self.of_the_user(believed(funds.free_base, Side.SELL, known)))
        if funds.price is None:
            raise OrderRefused("without a ticker nothing says what the entry is worth")
        most = self._allowed(wanted, ZERO, Side.SELL, funds.price)
        if most is not None:
            wanted = min(wanted, most)
        sized = self._sized("sell", wanted, funds, sizing)
        refuse_without_way_out(sized, ZERO, ZERO, funds.limits, funds.price, known)
        return sized

    def _short_exit(
        self, request: OrderRequest, funds: Funds, position: Position, sizing: Sizing
    ) -> Decimal:
        assert funds.price is not None, "a buy has a ticker"
        wanted = min(request.quantity, position.sold_short)
        affordable = affordable_amount(funds.free_quote, funds.price)
        possible = self.payable(request, funds, position)
        free = believed(funds.free_quote, Side.BUY, self._sizes.known(funds.price))
        possible = min(possible, affordable_amount(free, funds.price))
        sized = self._sized("buy-back", possible, funds, sizing)
        all_of_it = affordable < wanted and sized == sizing.wanted
        rest = exact_sum(wanted, -sized)
        sizing.rest_is_lost = all_of_it or funds.limits.refuses(rest, funds.price)
        return sized

    def _rounded(self, what: str, wanted: Decimal, funds: Funds) -> Decimal:
        rounded = round_down(max(wanted, ZERO), self._sizes.of_strategy(funds.limits))
        if funds.limits.refuses(rounded, funds.price):
            raise OrderRefused(f"a {what} of {plain(rounded)} is below the minimum")
        return rounded

    def _sized(self, what: str, wanted: Decimal, funds: Funds, sizing: Sizing) -> Decimal:
        decimals = self._sizes.of_strategy(funds.limits)
        rounded = self._rounded(what, wanted, funds)
        return sizing.amount(rounded, decimals, funds.limits, funds.price)
