"""Conversions between values and columns: decimals and times as text."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from decimal import Decimal, InvalidOperation

from execsvc.clock import from_iso, iso
from execsvc.errors import LedgerFailed
from execsvc.model.bot import Binding, Mode
from execsvc.model.market import plain
from execsvc.model.order import Fill
from execsvc.model.position import Position


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
