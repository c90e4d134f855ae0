"""Bookings of the outcomes of orders in a bot's ledger: each once, also when it is reported twice."""

from __future__ import annotations

import sqlite3
from decimal import Decimal

from execsvc.clock import iso, moment, moment_of, now
from execsvc.model.bot import Binding, Mode
from execsvc.model.market import exact_sum, plain
from execsvc.model.position import Position
from execsvc.store.orders import OrderRow
from execsvc.store.sqlite import moments, rows
from execsvc.store.sqlite.bot import results
from execsvc.store.sqlite.bot.bot_tables import BotTables, store_position, store_state
from execsvc.store.sqlite.bot.outbox import note_order
from execsvc.store.sqlite.bot.results import Booking
from execsvc.store.sqlite.database import query, transaction


def book(
    ledger: BotTables,
    binding: Binding,
    order: OrderRow,
    state: str | None = None,
    paper: tuple[Decimal, Decimal] | None = None,
) -> Position:
    """Book a settled order: order, position, result, state, paper balance in one transaction.

    An order that is booked already changes the position only by the correction of its outcome
    since (a contested one that was decided). Returns the position afterwards. The rows of the
    outbox are written with it. Raises LedgerFailed.
    """
    before = ledger.position(binding)
    earlier = _booked(ledger, order.client_order_id)
    booked = None if earlier is None else rows.amount(earlier["booked"])
    change = order.fill.base_change(order.side)
    settled_at = order.settled_at or now()
    if booked is None:
        position = before.after(order.side, order.fill, settled_at, order.short)
    elif booked != change:
        correction = exact_sum(change, -booked)
        price = order.fill.price or order.price
        position = before.corrected(correction, order.short, price, settled_at)
    else:
        position = before
    with transaction(ledger.connection) as tx:
        tx.execute(
            "INSERT INTO orders (client_order_id, mode, key_id, symbol, side, amount, reason, "
            "state, filled, average, cost, base_fee, quote_fee, exchange_id, booked, created_at, "
            "settled_at, short) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) "
            "ON CONFLICT DO UPDATE SET state=excluded.state, filled=excluded.filled, "
            "average=excluded.average, cost=excluded.cost, base_fee=excluded.base_fee, "
            "quote_fee=excluded.quote_fee, booked=excluded.booked, settled_at=excluded.settled_at",
            (
                order.client_order_id,
                binding.mode.value,
                binding.key_id,
                order.symbol,
                order.side.value,
                plain(order.amount),
                order.reason,
                order.state.value,
                *rows.fill_values(order.fill),
                plain(change),
                iso(order.created_at),
                iso(settled_at),
                int(order.short),
            ),
        )
        if position != before:
            store_position(tx, binding, position)
        decided = order.decided or moment_of(settled_at)
        if position.opened_at is not None and position.opened_at != before.opened_at:
            moments.store(tx, moments.place("opened", binding), decided)
        moments.store(
            tx, f"order sent {order.client_order_id}", order.sent or moment_of(order.created_at)
        )
        moments.store(tx, f"order ended {order.client_order_id}", decided)
        moments.forget_old_orders(tx, moment())
        results.keep(tx, binding, Booking(order, settled_at, before, position, earlier))
        if state is not None:
            store_state(tx, binding.strategy, state)
        if paper is not None:
            tx.execute(
                "INSERT INTO paper_balance VALUES (?,?,?,?) "
                "ON CONFLICT DO UPDATE SET base=excluded.base, quote=excluded.quote",
                (binding.key_id, binding.symbol, plain(paper[0]), plain(paper[1])),
            )
        noted = note_order(ledger, tx, order) if binding.mode is Mode.LIVE else 0
    ledger.reported += noted
    return position


def is_booked(ledger: BotTables, client_order_id: str) -> bool:
    """True once the ledger has taken an outcome of this order. Raises LedgerFailed."""
    return _booked(ledger, client_order_id) is not None


def contested_keys(connection: sqlite3.Connection) -> list[str]:
    """The accounts on which an order of this ledger's bot waits for the decision of an operator."""
    found = query(connection, "SELECT DISTINCT key_id FROM orders WHERE state='CONTESTED'")
    return [row["key_id"] for row in found]


def contested_places(connection: sqlite3.Connection, strategy: str) -> list[Binding]:
    """The bindings under which orders wait for an operator, also on accounts the bot has left since.

    ``strategy`` is the one that the bot runs now; an order does not name the one that sent it.
    """
    found = query(
        connection, "SELECT DISTINCT mode, key_id, symbol FROM orders WHERE state='CONTESTED'"
    )
    return [
        Binding(
            mode=Mode(row["mode"]), key_id=row["key_id"], symbol=row["symbol"], strategy=strategy
        )
        for row in found
    ]


def _booked(ledger: BotTables, client_order_id: str) -> sqlite3.Row | None:
    found = query(
        ledger.connection, "SELECT * FROM orders WHERE client_order_id=?", (client_order_id,)
    )
    return found[0] if found else None
