"""Interface of a venue: the place where orders of a bot go, live or on paper."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple, Protocol

from execsvc.model.balance import Balance
from execsvc.model.market import ZERO, Limits
from execsvc.model.order import OrderRequest, Purpose
from execsvc.store.orders import OrderRow


class Funds(NamedTuple):
    """The values by which an order is sized: base and quote in their own units, price in quote per
    base.

    ``total_base`` is None when the service does not say what is locked. ``price`` is None when no
    ticker could be had, which never blocks a sell; ``priced_at`` is the time of its request, in
    monotonic seconds.
    """

    free_base: Decimal
    total_base: Decimal | None
    free_quote: Decimal
    price: Decimal | None
    limits: Limits
    priced_at: float | None = None
    reserved_quote: Decimal = ZERO
    """The part left out of ``free_quote``, as it is the position of some bot of the account."""
    tracked_base: Decimal = ZERO
    """Base that all bots of the account track; read for an order that sells the user's own."""


class OrderTurn(Protocol):
    """The account during this bot's turn: its funds, and one order on it."""

    @property
    def funds(self) -> Funds:
        """The values by which the order is sized, read within the turn."""
        ...

    def best_price(self) -> Decimal:
        """Quote per base at which the order would begin to trade now. Raises Unavailable."""
        ...

    def submit(self, quantity: Decimal) -> OrderRow:
        """Place one market order of ``quantity`` base units and book its outcome.

        An order that the exchange refused is returned as any other, with the refusal in ``detail``.
        Raises OrderRefused when no order was sent, Unavailable, LedgerFailed.
        """
        ...


class Venue(Protocol):
    """The live exchange, or the one on paper."""

    def turn(self, request: OrderRequest) -> AbstractContextManager[OrderTurn]:
        """Hold the account's turn for one order that ``request`` asks for.

        Raises OrderRefused while nothing may be traded, Unavailable, LedgerFailed.
        """
        ...

    def balance(self) -> Balance:
        """The balance that can be traded with. Raises Unavailable."""
        ...

    def owned_base(self) -> Decimal:
        """Base that is free and tracked by no bot of the account. Raises Unavailable, OrderRefused."""
        ...

    def entries_blocked(self) -> str | None:
        """The reason to block entries now, None when they may go out."""
        ...

    def recover(self, purpose: Purpose) -> None:
        """Settle and book what an earlier process left unfinished, before orders of ``purpose``."""
        ...

    def refresh(self) -> bool:
        """Book an operator's decisions since the last call; True when there was one.

        Called once a tick, so it is cheap.
        """
        ...

    def held(self) -> Decimal | None:
        """Free and locked base, with nothing unsettled on the account; None: the latter is not said.

        Raises Unavailable.
        """
        ...

    def fees_in_base(self, since: datetime | None) -> Decimal:
        """Base units that orders of other markets have paid as fees since then; None: never."""
        ...

    def forget_expected(self) -> None:
        """Forget the expected balance: coins were booked as gone, which no order explains."""
        ...

    def release_asked(self) -> bool:
        """True while an operator's confirmation that missing coins are gone waits to be carried
        out.
        """
        ...

    def release_done(self) -> None:
        """Record that the release was carried out."""
        ...
