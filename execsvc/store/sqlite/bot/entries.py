"""The entries of a bot by its own ledger: the unfilled ones in a row, and the fee that they paid."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from decimal import Decimal

from execsvc.clock import Moment
from execsvc.model.bot import Binding, Mode
from execsvc.model.order import OrderState, Side
from execsvc.store.bot_facts import Unfilled
from execsvc.store.sqlite import moments, rows
from execsvc.store.sqlite.database import has_table, newest_first, query


def unfilled(connection: sqlite3.Connection, binding: Binding, most: int) -> Unfilled:
    """The newest entries under ``binding`` that came to nothing, ``most`` of them at most.

    Entries from before a release by an operator do not count. Raises LedgerFailed.
    """
    orders = newest_first(
        connection,
        "SELECT client_order_id, state, filled, settled_at FROM orders WHERE mode=? AND key_id=? "
        "AND symbol=? AND (side=?) <> (short<>0) AND rowid > ? ORDER BY rowid DESC",
        (*_place(binding), Side.BUY.value, _released_after(connection)),
    )
    found = Unfilled()
    for row in orders:
        if rows.amount(row["filled"]) > 0 or row["state"] == OrderState.CONTESTED.value:
            break
        if found.number == 0:
            ended_at, last = rows.time(row["settled_at"]), row["client_order_id"]
            found = Unfilled(0, last, ended_at, _ended(connection, last, ended_at))
        found = found._replace(number=found.number + 1)
        if found.number == most:
            break
    return found


def _ended(connection: sqlite3.Connection, order_id: str, at: datetime | None) -> Moment | None:
    return None if at is None else moments.of(connection, f"order ended {order_id}", at)


def fee_rate(connection: sqlite3.Connection, binding: Binding) -> Decimal | None:
    """The fee in base of the last buy, as a part of its quantity; None without one. Raises LedgerFailed."""
    found = query(
        connection,
        "SELECT filled, base_fee FROM orders WHERE mode=? AND key_id=? AND symbol=? AND side=? "
        "AND state=? AND base_fee IS NOT NULL AND CAST(filled AS REAL) > 0 "
        "ORDER BY rowid DESC LIMIT 1",
        (*_place(binding), Side.BUY.value, OrderState.EXECUTED.value),
    )
    if not found:
        return None
    return rows.amount(found[0]["base_fee"]) / rows.amount(found[0]["filled"])


def newest_order(connection: sqlite3.Connection) -> datetime | None:
    """The time of the newest live order of the bot, None before the first. Raises LedgerFailed."""
    found = query(
        connection,
        "SELECT created_at FROM orders WHERE mode=? ORDER BY created_at DESC LIMIT 1",
        (Mode.LIVE.value,),
    )
    return rows.time(found[0]["created_at"]) if found else None


def _place(binding: Binding) -> tuple[str, str, str]:
    return binding.mode.value, binding.key_id, binding.symbol


def _released_after(connection: sqlite3.Connection) -> int:
    if not has_table(connection, "released"):
        return 0
    found = query(connection, "SELECT after_order FROM released")
    return int(found[0]["after_order"]) if found else 0
