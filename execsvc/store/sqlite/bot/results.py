"""The results that a bot has realised, kept by UTC day in the transaction that books the order.

A booking never fails because of its result, as a sale has to be recorded first of all. An order that is
booked without its result is found by :func:`certain_today`.
"""

from __future__ import annotations

import sqlite3
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from execsvc.errors import LedgerFailed, LedgerUnavailable
from execsvc.logs import bound
from execsvc.model.bot import Binding
from execsvc.model.market import ZERO, exact_sum, plain
from execsvc.model.position import Position
from execsvc.model.result import Basis, Effect, Result, utc_day
from execsvc.store.bot_facts import Today
from execsvc.store.orders import OrderRow
from execsvc.store.sqlite import rows
from execsvc.store.sqlite.database import apart, has_table, newest_first, query

_LARGEST = Decimal("1e40")


class Booking(NamedTuple):
    """An order that is being booked, the position around it, and its row from an earlier time."""

    order: OrderRow
    settled_at: datetime
    before: Position
    after: Position
    earlier: sqlite3.Row | None


def keep(tx: sqlite3.Connection, binding: Binding, booking: Booking) -> None:
    """Keep the result that the order realises, within the transaction that books it.

    An order that is booked already changes the result only by the correction of its outcome since,
    on the day of the correction. Raises LedgerUnavailable, so that all of the booking is tried again.
    """
    try:
        with apart(tx):
            _keep(tx, binding, booking)
    except LedgerUnavailable:
        raise
    except LedgerFailed as fault:
        order = booking.order
        event = bound(order.bot_id).bind(event="result_unknown", order_id=order.client_order_id)
        event.error("order {} is booked without its result: {}", order.client_order_id, fault)


def read(connection: sqlite3.Connection, binding: Binding, day: date) -> Result:
    """The result realised in ``binding``'s mode and quote, on all accounts and symbols.

    Raises LedgerFailed.
    """
    found = []
    if has_table(connection, "result"):
        found = query(
            connection,
            "SELECT day, realised FROM result WHERE mode=? AND currency=?",
            (binding.mode.value, binding.quote),
        )
    amounts = {row["day"]: _money(row["realised"]) for row in found}
    return Result(
        currency=binding.quote,
        realised=exact_sum(*amounts.values()),
        today=amounts.get(day.isoformat(), ZERO),
        day=day,
    )


def certain_today(
    connection: sqlite3.Connection, binding: Binding, day: date, seen: int = 0
) -> Today:
    """As :func:`read`, the result of ``day``, for a caller that may not take unknown for zero.

    ``seen``: the last order that an earlier call has checked. Raises LedgerFailed
    where the tables are missing, too, and when an order of that day was booked without its result.
    """
    if not has_table(connection, "result"):
        raise LedgerFailed("the table of results is missing")
    orders = newest_first(
        connection,
        "SELECT o.rowid AS number, o.settled_at, o.filled, r.client_order_id AS known "
        "FROM orders o LEFT JOIN order_result r USING (client_order_id) "
        "WHERE o.rowid > ? AND o.mode=? ORDER BY o.rowid DESC",
        (seen, binding.mode.value),
    )
    newest = seen
    for row in orders:
        newest = max(newest, row["number"])
        settled_at = rows.time(row["settled_at"])
        if settled_at is None or utc_day(settled_at) < day:
            break
        if row["known"] is None and rows.amount(row["filled"]) > 0:
            raise LedgerFailed("an order of today was booked without its result")
    return Today(read(connection, binding, day).today, newest)


def _keep(tx: sqlite3.Connection, binding: Binding, booking: Booking) -> None:
    order = booking.order
    basis, gone = _basis(tx, binding).at(booking.before), ZERO
    if booking.earlier is not None:
        booked, earlier = rows.fill_of(booking.earlier), _effect(tx, order.client_order_id)
        # Booked by an older version: no sum that could be corrected contains its result.
        if booked == order.fill or earlier is None:
            return
        basis = basis.without(order.side, booked, earlier, order.short)
        gone = earlier.realised
    basis, effect = basis.after(order.side, order.fill, order.price, order.short)
    _store(tx, binding, basis.at(booking.after))
    tx.execute(
        "INSERT INTO order_result VALUES (?,?,?,?) ON CONFLICT DO UPDATE SET "
        "realised=excluded.realised, cost=excluded.cost, proceeds=excluded.proceeds",
        (order.client_order_id, *map(plain, effect)),
    )
    day = utc_day(booking.settled_at)
    before = read(tx, binding, day).today
    tx.execute(
        "INSERT INTO result VALUES (?,?,?,?) ON CONFLICT DO UPDATE SET realised=excluded.realised",
        (
            binding.mode.value,
            binding.quote,
            day.isoformat(),
            plain(exact_sum(before, effect.realised, -gone)),
        ),
    )


def _basis(tx: sqlite3.Connection, binding: Binding) -> Basis:
    found = query(
        tx,
        "SELECT * FROM cost_basis WHERE mode=? AND key_id=? AND symbol=?",
        (binding.mode.value, binding.key_id, binding.symbol),
    )
    if not found:
        return Basis()
    names = ("tracked", "cost", "sold_short", "proceeds")
    return Basis(**{name: _money(found[0][name]) for name in names})


def _effect(tx: sqlite3.Connection, client_order_id: str) -> Effect | None:
    found = query(
        tx,
        "SELECT realised, cost, proceeds FROM order_result WHERE client_order_id=?",
        (client_order_id,),
    )
    return Effect(*map(_money, found[0])) if found else None


def _money(text: str) -> Decimal:
    """A column's amount of money. Raises LedgerFailed for one that no market could have made."""
    amount = rows.amount(text)
    if amount.copy_abs() > _LARGEST:
        raise LedgerFailed(f"{text[:40]!r} in the ledger is not an amount of money")
    return amount


def _store(tx: sqlite3.Connection, binding: Binding, basis: Basis) -> None:
    tx.execute(
        "INSERT INTO cost_basis VALUES (?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET "
        "tracked=excluded.tracked, cost=excluded.cost, sold_short=excluded.sold_short, "
        "proceeds=excluded.proceeds",
        (
            binding.mode.value,
            binding.key_id,
            binding.symbol,
            plain(basis.tracked),
            plain(basis.cost),
            plain(basis.sold_short),
            plain(basis.proceeds),
        ),
    )
