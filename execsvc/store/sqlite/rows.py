"""How values go into columns and come back: decimals and times as text."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from decimal import Decimal, InvalidOperation

from pydantic import BaseModel, ConfigDict

from execsvc.clock import Moment, from_iso, iso
from execsvc.errors import LedgerFailed
from execsvc.model.bot import Binding, Mode
from execsvc.model.market import plain
from execsvc.model.order import Fill, Intent, OrderState, Side
from execsvc.model.position import Position


class OrderRow(BaseModel):
    """An order with its outcome, as the journal hands it to the bot's ledger."""

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
    """Ticker price when it was sent; None when there was no ticker, or nobody remembers."""
    sent: Moment | None = None
    decided: Moment | None = None
    """``created_at`` and ``settled_at`` by both clocks, where another process may have noted them."""


class Expected(BaseModel):
    """What an account should hold of an asset once its last fill shows."""

    model_config = ConfigDict(frozen=True)

    amount: Decimal
    tolerance: Decimal
    filled_at: datetime
    filled: Moment | None = None
    """``filled_at`` by both clocks; None until the journal has it."""

    def agrees(self, free: Decimal) -> bool:
        """True when ``free`` is what the last fill must have left."""
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
    """When the intent was recorded, the request ended, the outcome was recorded: by both clocks."""

    def settled(self, how: str) -> str:
        """``how`` the outcome was settled, with what the answer to the order had said.

        Its words say how large the next order may be, to whoever adopts the outcome.
        """
        return f"{how}: {self.detail}" if self.detail else how

    def order(self) -> OrderRow:
        """The row as the bot's own ledger takes it."""
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


def text(value: Decimal | None) -> str | None:
    """A decimal as a column keeps it."""
    return None if value is None else plain(value)


def time_text(value: datetime | None) -> str | None:
    """A time as a column keeps it."""
    return None if value is None else iso(value)


def decimal(value: str | None) -> Decimal | None:
    """A column's decimal; None for NULL. Raises LedgerFailed when it is no number."""
    try:
        number = None if value is None else Decimal(value)
    except (InvalidOperation, TypeError):
        raise LedgerFailed(f"{value!r} in the ledger is not a number") from None
    if number is not None and not number.is_finite():
        raise LedgerFailed(f"{value!r} in the ledger is not a finite number")
    return number


def amount(value: str) -> Decimal:
    """A column's decimal that is always there. Raises LedgerFailed."""
    number = decimal(value)
    if number is None:
        raise LedgerFailed("a quantity in the ledger is missing")
    return number


def time(value: str | None) -> datetime | None:
    """A column's time; None for NULL. Raises LedgerFailed when it is no time."""
    try:
        return None if value is None else from_iso(value)
    except (ValueError, AttributeError):
        raise LedgerFailed(f"{value!r} in the ledger is not a time") from None


def fill_of(row: sqlite3.Row) -> Fill:
    """The fill columns of an order or intent row."""
    return Fill(
        filled=amount(row["filled"]),
        average=decimal(row["average"]),
        cost=decimal(row["cost"]),
        base_fee=decimal(row["base_fee"]),
        quote_fee=amount(row["quote_fee"]),
        exchange_id=row["exchange_id"],
    )


def fill_values(fill: Fill) -> tuple[str | None, ...]:
    """``fill`` in the order of the columns filled, average, cost, base_fee, quote_fee, exchange_id."""
    return (
        text(fill.filled),
        text(fill.average),
        text(fill.cost),
        text(fill.base_fee),
        text(fill.quote_fee),
        fill.exchange_id,
    )


def position_of(row: sqlite3.Row) -> Position:
    """The position columns of a row."""
    return Position(
        tracked=amount(row["tracked"]),
        sold_short=amount(row["sold_short"]),
        entry_price=decimal(row["entry_price"]),
        opened_at=time(row["opened_at"]),
        dust=bool(row["dust"]),
    )


def binding_of(row: sqlite3.Row) -> Binding:
    """The mode, key, symbol and strategy columns of a row. Raises LedgerFailed."""
    try:
        return Binding(
            mode=Mode(row["mode"]),
            key_id=row["key_id"],
            symbol=row["symbol"],
            strategy=row["strategy"],
        )
    except ValueError as error:
        raise LedgerFailed(f"the ledger's binding is unreadable: {error}") from error
