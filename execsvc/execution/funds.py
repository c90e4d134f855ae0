"""The values by which an order is sized, each read once within the order's turn."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from execsvc.execution.sizes.known_sizes import KnownSizes
from execsvc.execution.sizes.next_amount import usable_funds
from execsvc.model.market import ZERO, Limits, Symbol, exact_sum
from execsvc.model.order import OrderRequest, Side

SPENDABLE = Decimal("0.99")
"""The part of the free quote balance that a buy may spend."""
COULD_BIND = Decimal("0.5")
"""The part of an allocation from which on an entry is judged by the price at which it trades."""


class Funds(NamedTuple):
    """The account's balances and the market of ``symbol``, at the time of one order.

    Base and quote in their own units, prices in quote per base. ``total_base`` is None when the
    service does not say what is locked. ``price`` is None when no ticker could be had, which never
    blocks a sell; ``priced_at`` is the time of its request, in monotonic seconds.
    """

    symbol: Symbol
    free_base: Decimal
    total_base: Decimal | None
    free_quote: Decimal
    price: Decimal | None
    limits: Limits
    priced_at: float | None
    known: KnownSizes
    """The sizes that the market takes, as learnt from the answers to earlier orders."""
    reserved_quote: Decimal = ZERO
    """The part left out of ``free_quote``, as it is the position of some bot of the account."""
    tracked_base: Decimal = ZERO
    """Base that all bots of the account track; read for an order that sells the user's own."""
    best_price: Decimal | None = None
    """The price at which an entry would begin to trade; read where the allocation could bind."""

    @property
    def usable_base(self) -> Decimal:
        """The free base that an order may sell, after refusals for the balance."""
        return usable_funds(self.free_base, Side.SELL, self.known)

    @property
    def usable_quote(self) -> Decimal:
        """The free quote that an order may use, after refusals for the balance."""
        return usable_funds(self.free_quote, Side.BUY, self.known)

    @property
    def owned_base(self) -> Decimal:
        """The usable base that no bot of the account tracks."""
        return max(exact_sum(self.usable_base, -self.tracked_base), ZERO)

    def could_reach(self, allocation: Decimal, request: OrderRequest, held: Decimal) -> bool:
        """True when the entry of ``request``, beside ``held`` base units, could reach ``allocation``."""
        if self.price is None:
            return False
        buys = request.purpose.side is Side.BUY
        most = affordable(self.usable_quote, self.price) if buys else self.owned_base
        return could_bind(min(request.quantity, most), held, allocation, self.price)


def affordable(free_quote: Decimal, price: Decimal) -> Decimal:
    """Base units that ``free_quote`` pays for at ``price``, less the part of it that stays free."""
    return free_quote * SPENDABLE / price


def could_bind(wanted: Decimal, held: Decimal, allocation: Decimal, ticker: Decimal) -> bool:
    """True when an entry of ``wanted`` base units beside ``held`` could reach ``allocation`` (quote)."""
    return (wanted + held) * ticker >= allocation * COULD_BIND
