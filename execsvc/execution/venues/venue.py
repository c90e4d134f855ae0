"""Interface of a venue: the place where orders of a bot go, live or on paper."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from execsvc.execution.funds import Funds
from execsvc.model.balance import Balance
from execsvc.model.order import OrderRequest, Purpose
from execsvc.store.orders import OrderRow


class OrderTurn(Protocol):
    """The account during this bot's turn: its funds, and one order on it."""

    @property
    def funds(self) -> Funds:
        """The values by which the order is sized, read within the turn."""
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
