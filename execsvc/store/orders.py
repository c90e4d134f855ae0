"""Orders as the store keeps them: an intent of an account, and the order with its outcome."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from execsvc.clock import Moment
from execsvc.model.order import Fill, Intent, OrderState, Side


class OrderRow(BaseModel):
    """An order with its outcome, in the form in which the ledger of its bot books it."""

    model_config = ConfigDict(frozen=True)

    client_order_id: str
    bot_id: str
    symbol: str
    side: Side
    amount: Decimal
    reason: str
    state: OrderState
    fill: Fill
    created_at: datetime
    settled_at: datetime | None = None
    detail: str = ""
    short: bool = False
    price: Decimal | None = None
    """Ticker price when the order was sent; None when there was no ticker, or none was recorded."""
    sent: Moment | None = None
    decided: Moment | None = None
    """``created_at`` and ``settled_at`` by both clocks, where another process may have recorded them."""


class Expected(BaseModel):
    """The balance of an asset that an account should have once its last fill shows."""

    model_config = ConfigDict(frozen=True)

    amount: Decimal
    tolerance: Decimal
    filled_at: datetime
    filled: Moment | None = None
    """``filled_at`` by both clocks; None until the journal has it."""

    def agrees(self, free: Decimal) -> bool:
        """True when ``free`` is the balance that the last fill must have left."""
        return abs(free - self.amount) <= self.tolerance


class JournalRow(BaseModel):
    """An intent as it stands in the journal."""

    model_config = ConfigDict(frozen=True)

    intent: Intent
    state: OrderState
    post_ended_at: datetime | None
    at_least: Decimal
    fill: Fill
    settled_at: datetime | None
    detail: str
    sent: Moment
    ended: Moment | None = None
    decided: Moment | None = None
    """The times of the intent, of the end of the request and of the outcome, by both clocks."""

    def settled(self, how: str) -> str:
        """``how`` the outcome was settled, with the text of the exchange's answer to the order.

        The process that adopts the outcome learns from that text how large the next order may be.
        """
        return f"{how}: {self.detail}" if self.detail else how

    def order(self) -> OrderRow:
        """The row in the form in which the ledger of the bot books it."""
        return OrderRow(
            **self.intent.model_dump(
                include={
                    "client_order_id",
                    "bot_id",
                    "symbol",
                    "side",
                    "amount",
                    "reason",
                    "created_at",
                    "short",
                    "price",
                }
            ),
            state=self.state,
            fill=self.fill,
            settled_at=self.settled_at,
            detail=self.detail,
            sent=self.sent,
            decided=self.decided,
        )
